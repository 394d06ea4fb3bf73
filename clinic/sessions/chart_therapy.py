"""The lanes of what was done: the rate as steps, and the events with their words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from clinic.core.drawing import Anchor, Circle, Line, Path, Rect, Shape, Text, step_aside, text_width
from clinic.core.times import clock_label
from clinic.core.units import format_number
from clinic.sessions.chart_axis import TimeAxis
from clinic.sessions.chart_lanes import Frame
from clinic.sessions.chart_types import ChartEvent, ChartInput, Lane, Mark, Width

_ZERO: Final = Decimal(0)
_LETTERS: Final = 12  # px, the size of an event's words
_REPEAT: Final = 200  # px between repeated values of a long step
_ASIDE: Final = 10  # px between the middle of an event's mark and its words


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time at one rate, mg per hour."""

    start: datetime
    end: datetime
    rate: Decimal


def rate_steps(data: ChartInput, axis: TimeAxis) -> list[Step]:
    """Return the rate in mg per hour without a gap from the first start: 0 in a pause and after the stop, up to now."""
    # Also where the clock is not drawn, as on paper: nothing has flowed after it.
    last = min(data.now, axis.end)
    steps: list[Step] = []
    for start, end, rate in sorted(data.segments, key=lambda segment: segment[0]):
        if steps and steps[-1].end < start:
            steps.append(Step(steps[-1].end, start, _ZERO))
        steps.append(Step(start, end or max(last, start), rate))
    if steps and steps[-1].end < last:
        steps.append(Step(steps[-1].end, last, _ZERO))
    within = [Step(max(step.start, axis.start), min(step.end, axis.end), step.rate) for step in steps]
    return [step for step in within if step.start < step.end]


def rate_lane(frame: Frame) -> Lane:
    """Draw the rate as steps with the value inside, the planned course dotted, the order's maximum as a limit line."""
    data, axis = frame.data, frame.axis
    steps = rate_steps(data, axis)
    full = max([data.maximum_rate_mg_h or _ZERO, *(step.rate for step in steps)]) or Decimal(1)
    foot, most = frame.bottom - 3, frame.top + 13

    def level(rate: Decimal) -> float:
        return foot - float(rate / full) * (foot - most)

    plot: list[Shape] = []
    for step in steps:
        left, top = axis.x(step.start), level(step.rate)
        plot.append(Rect("rate", left, top, axis.x(step.end) - left, frame.bottom - top))
    if steps:
        plot.append(Path("ratel", _outline(frame, steps, [level(step.rate) for step in steps])))
    values = list(_step_values(frame, steps, [level(step.rate) for step in steps]))
    plot += values
    plot += _planned(frame, level(steps[-1].rate) if steps and steps[-1].rate else foot, values)
    margin: list[Shape] = []
    if data.maximum_rate_mg_h is not None:
        y = level(data.maximum_rate_mg_h)
        margin.append(Text("limt", axis.right + 5, y + 4, format_number(data.maximum_rate_mg_h)))
        plot.append(frame.limit_line(y))
    marks = tuple(Mark(step.start, axis.x(step.start), level(step.rate), step.rate, outside=False) for step in steps)
    name = frame.name(data.words.rate, "mg/h", (frame.top + frame.bottom) / 2 - 2)
    return Lane("rate", frame.top, frame.bottom, tuple(name), tuple(plot), tuple(margin), marks)


def _outline(frame: Frame, steps: Sequence[Step], levels: Sequence[float]) -> str:
    corners = "".join(f"V{y:.1f}H{frame.axis.x(step.end):.1f}" for step, y in zip(steps, levels, strict=True))
    # Without a line at the left edge when the infusion began before this page.
    first = frame.axis.x(steps[0].start)
    foot = frame.bottom if steps[0].start > frame.axis.start else levels[0]
    return f"M{first:.1f} {foot:.1f}{corners}"


def _step_values(frame: Frame, steps: Sequence[Step], levels: Sequence[float]) -> Iterator[Text]:
    """Write each value inside its step, above the line where the step is too low to hold it."""
    shown = [
        (start, text_width(text, 13) + 2, text, top)
        for step, top in zip(steps, levels, strict=True)
        for text in [format_number(step.rate)]
        for start in _starts(frame.axis, step)
    ]
    widths = [width for _, width, _, _ in shown]
    wanted = [start + 5 + width / 2 for start, width, _, _ in shown]
    places = step_aside(wanted, widths, frame.axis.left, frame.axis.right)
    for x, (_, width, text, top) in zip(places, shown, strict=True):
        below = top + 13 <= frame.bottom - 2
        yield Text("ratet nostroke", x - width / 2, top + 13 if below else top - 4, text)


def _starts(axis: TimeAxis, step: Step) -> Iterator[float]:
    """Where a drawing scrolls, a long step repeats its value, so that one is always in sight."""
    x, end = axis.x(step.start), axis.x(step.end)
    yield x
    while axis.scrolls and x + 2 * _REPEAT <= end:
        x += _REPEAT
        yield x


def _planned(frame: Frame, level: float, values: Sequence[Text]) -> Iterator[Shape]:
    """Draw what is still to come, dotted: on at the present rate, down at the planned stop, with its time."""
    data, axis = frame.data, frame.axis
    if data.stopped_at or data.planned_stop is None or not values:
        return
    in_view = axis.holds(data.planned_stop)
    x = axis.x(data.planned_stop)
    down = f"V{frame.bottom:.1f}" if in_view else ""
    if axis.holds(data.now) and data.now < data.planned_stop:
        yield Path("plan", f"M{axis.x(data.now):.1f} {level:.1f}H{x:.1f}{down}")
    elif in_view:
        yield Path("plan", f"M{x:.1f} {level:.1f}{down}")
    if in_view:
        yield _stop_label(frame, x, values)


def _stop_label(frame: Frame, x: float, values: Sequence[Text]) -> Text:
    """Write when the stop is planned: right of it or left of it, below or above, where no rate is written."""
    choices = list(_stop_labels(frame, x))
    return next((label for label in choices if not any(_touch(label, value) for value in values)), choices[-1])


def _stop_labels(frame: Frame, x: float) -> Iterator[Text]:
    axis = frame.axis
    clock = clock_label(frame.data.planned_stop or axis.end, axis.zone)
    full = frame.data.words.planned_stop.format(time=clock)
    free_from = axis.x(axis.now) + 4 if axis.now and axis.x(axis.now) < x else axis.left
    heights = (frame.bottom - 5, frame.top + _LETTERS)
    for text in (full, clock):
        width = text_width(text, _LETTERS)
        if x + 4 + width <= axis.right:
            yield from (Text("ax", x + 4, y, text) for y in heights)
        if x - 5 - width >= free_from:
            yield from (Text("ax", x - 5, y, text, "end") for y in heights)
    yield from (Text("ax", max(x - 5, axis.left + text_width(clock, _LETTERS)), y, clock, "end") for y in heights)


def _touch(one: Text, other: Text) -> bool:
    (low, high), (first, last) = one.span, other.span
    return low < last + 2 and first < high + 2 and abs(one.y - other.y) < _LETTERS


@dataclass(frozen=True, slots=True)
class Placed:
    """An event's words in lines, beside its mark, from `row` on."""

    event: ChartEvent
    row: int
    anchor: Anchor
    lines: tuple[str, ...]


def place_events(data: ChartInput, axis: TimeAxis) -> list[Placed]:
    """Return where the words of each event stand, none upon another: right of the mark, left of it, or a row on."""
    taken: dict[int, list[tuple[float, float]]] = {}
    placed: list[Placed] = []
    for event in sorted(data.events, key=lambda event: event.at):
        if not axis.holds(event.at):
            continue
        x = axis.x(event.at)
        choices = _choices(event, axis)
        row = 0
        while True:
            fitting = (
                (anchor, lines, span)
                for anchor, lines in choices
                for span in [_span(x, anchor, lines)]
                if all(_free(span, taken.get(row + line, [])) for line in range(len(lines)))
            )
            if found := next(fitting, None):
                break
            row += 1
        anchor, lines, span = found
        for line in range(len(lines)):
            taken.setdefault(row + line, []).append(span)
        placed.append(Placed(event, row, anchor, lines))
    return placed


def _free(span: tuple[float, float], others: Sequence[tuple[float, float]]) -> bool:
    return all(span[1] + 4 <= low or high + 4 <= span[0] for low, high in others)


def _span(x: float, anchor: Anchor, lines: Sequence[str]) -> tuple[float, float]:
    width = max(text_width(line, _LETTERS) for line in lines)
    return (x - 7, x + _ASIDE + width) if anchor == "start" else (x - _ASIDE - width, x + 7)


def _choices(event: ChartEvent, axis: TimeAxis) -> list[tuple[Anchor, tuple[str, ...]]]:
    """Words stay clear of the line of the clock where they can; what fits on neither side is broken into lines."""
    x = axis.x(event.at)
    now = axis.x(axis.now) if axis.now and axis.x(axis.now) >= x else axis.right
    rooms: list[tuple[Anchor, float]] = [
        ("start", min(now - 4, axis.right) - x - _ASIDE),
        ("end", x - _ASIDE - axis.left),
        ("start", axis.right - x - _ASIDE),
    ]
    width = text_width(event.text, _LETTERS)
    fitting: list[tuple[Anchor, tuple[str, ...]]] = [(side, (event.text,)) for side, room in rooms if width <= room]
    if fitting:
        return fitting[:2]
    side, room = max(rooms, key=lambda choice: choice[1])
    return [(side, tuple(broken(event.text, room)))]


def broken(text: str, room: float) -> Iterator[str]:
    """Yield `text` in lines of at most `room` px, between words, within a word only where one alone is too long."""
    line = ""
    for word in text.split():
        whole = f"{line} {word}".strip()
        if text_width(whole, _LETTERS) <= room:
            line = whole
            continue
        if line:
            yield line
        line = ""
        for letter in word:
            if line and text_width(line + letter, _LETTERS) > room:
                yield line
                line = ""
            line += letter
    if line:
        yield line


def events_height(placed: Sequence[Placed], width: Width) -> float:
    """Return the lane's height in px: two rows as drawn, more when the words need more."""
    rows = max((each.row + len(each.lines) for each in placed), default=0)
    return width.events + max(0, rows - 2) * 0.47 * width.events


def events_lane(frame: Frame, placed: Sequence[Placed]) -> Lane:
    """Draw adverse events as diamonds, drugs as squares, anything else as a dot, each with its words."""
    first, spacing = frame.top + 0.27 * frame.width.events, 0.47 * frame.width.events
    plot: list[Shape] = []
    for each in placed:
        x, y = frame.axis.x(each.event.at), first + spacing * each.row
        plot.append(_event_mark(each.event, x, y))
        beside = x + (_ASIDE if each.anchor == "start" else -_ASIDE)
        for number, line in enumerate(each.lines):
            plot.append(Text("evt", beside, y + 4.5 + number * spacing, line, each.anchor))
    name = Text("lab", 4, (frame.top + frame.bottom) / 2 + 4, frame.data.words.events)
    return Lane("events", frame.top, frame.bottom, (name,), tuple(plot))


def _event_mark(event: ChartEvent, x: float, y: float) -> Shape:
    if event.kind == "adverse":
        return Path("dia", f"M{x:.1f} {y - 6:.1f}l6 6-6 6-6-6z")
    if event.kind == "drug":
        return Rect("rx", x - 4.5, y - 4.5, 9, 9)
    return Circle("nt", x, y, 4)


def floor_line(width: float, y: float) -> Line:
    """The rule between two lanes, from edge to edge."""
    return Line("rule2", 0, y, width, y)
