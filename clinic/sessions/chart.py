"""The flowsheet chart of a session, drawn on the server: `screens` for a page, `sheets` for paper.

The templates `components/flowsheet.html` turn a `Chart` into inline SVG. What it is drawn from is in `chart_types`, the
time axis in `chart_axis`, the lanes in `chart_therapy` and `chart_lanes`; the words for those who listen are here.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from clinic.core.drawing import Shape
from clinic.core.times import clock_label
from clinic.core.units import format_number
from clinic.sessions.chart_axis import (
    HEADER,
    TimeAxis,
    due_ticks,
    grid,
    needed_plot,
    now_line,
    quarter,
    time_axis,
    window,
)
from clinic.sessions.chart_lanes import (
    BREATHING,
    HEART_RATE,
    SATURATION,
    Frame,
    outside_letter,
    pain_lane,
    pressure_lane,
    sedation_lane,
    trend_lane,
)
from clinic.sessions.chart_therapy import events_height, events_lane, floor_line, place_events, rate_lane
from clinic.sessions.chart_types import (
    PHONE,
    PRINT,
    SHEET,
    TABLET,
    WIDE,
    Chart,
    ChartEvent,
    ChartInput,
    DuePoint,
    Lane,
    Mark,
    ReadingPoint,
    Vital,
    Width,
    Words,
)

__all__ = [
    "PHONE",
    "PRINT",
    "SHEET",
    "TABLET",
    "WIDE",
    "Chart",
    "ChartEvent",
    "ChartInput",
    "DuePoint",
    "Lane",
    "Mark",
    "ReadingPoint",
    "Width",
    "Words",
    "describe",
    "draw",
    "parts",
    "screens",
    "sheets",
]

_MINUTE = timedelta(minutes=1)
_FOOT = 6  # px below the last lane


def draw(data: ChartInput, width: Width) -> Chart:
    """Draw the whole session for one width. The chart scrolls when its numbers would not be legible on that width."""
    return _drawing(data, width, time_axis(data, width))


def screens(data: ChartInput, *, beside_sheet: bool = False) -> tuple[Chart, ...]:
    """Draw a session for the page: one chart for each kind of screen, each shown by its class.

    `beside_sheet` is for a page with an open sheet, which leaves less room. A session so dense that even the widest
    screen scrolls is drawn once for all of them.
    """
    large = (SHEET,) if beside_sheet else (TABLET, WIDE)
    if all(time_axis(data, width).scrolls for width in large):
        return (replace(draw(data, replace(large[0], ahead_minutes=PHONE.ahead_minutes)), screen=""),)
    return tuple(draw(data, width) for width in (PHONE, *large))


def sheets(data: ChartInput) -> tuple[Chart, ...]:
    """Draw a session for paper, which cannot scroll: a usual one on one chart, a dense one in stretches of time.

    The clock has no place on paper, nor has what is due next: in black it would look done.
    """
    dues = [replace(due, state="upcoming") if due.state == "next" else due for due in data.dues]
    return tuple(_stretches(replace(data, dues=dues), PRINT))


def parts(data: ChartInput) -> tuple[Chart, ...]:
    """Draw a session for each kind of screen without anything to scroll: in stretches of time, the newest first.

    For a page without script: where a chart scrolls, the names beside it can cut a number, which is read as another.
    """
    return tuple(chart for width in (PHONE, TABLET, WIDE) for chart in reversed(list(_stretches(data, width))))


def _stretches(data: ChartInput, width: Width) -> Iterator[Chart]:
    """Cut a session where it is too long for a width; the readings of each stretch keep their distance."""
    start, end, live = window(data, width)
    times = [reading.at for reading in data.shown]
    least = max(width.plot, width.least_px_per_minute * ((end - start) / _MINUTE))
    count = math.ceil(needed_plot(times, start, end, least=least) / width.plot)
    while True:
        cuts = _cuts(start, end, count, data)
        crowd = max(sum(first <= at <= last for at in times) for first, last in pairwise(cuts))
        # A quarter of an hour is the shortest stretch; more sets than fit in one cannot be recorded by hand.
        if crowd * 30 <= width.plot or len(cuts) - 1 < count:
            break
        count += 1
    right = width.left + width.plot
    for first, last in pairwise(cuts):
        now = data.now if live and width is not PRINT and first <= data.now < last else None
        axis = TimeAxis(data.zone, first, last, width.left, right, now)
        yield _drawing(_between(data, first, last, last=last == end), width, axis)


def _cuts(start: datetime, end: datetime, count: int, data: ChartInput) -> list[datetime]:
    inner = (quarter(start + (end - start) / count * number, data.zone) for number in range(1, count))
    return [start, *sorted({cut for cut in inner if start < cut < end}), end]


def _between(data: ChartInput, start: datetime, end: datetime, *, last: bool) -> ChartInput:
    """Return what belongs on this stretch; what happened on a cut stands on the later one."""

    def here(at: datetime) -> bool:
        return start <= at < end or (last and at == end)

    return replace(
        data,
        readings=[reading for reading in data.readings if here(reading.at)],
        events=[event for event in data.events if here(event.at)],
        dues=[due for due in data.dues if here(due.at)],
    )


def _drawing(data: ChartInput, width: Width, axis: TimeAxis) -> Chart:
    placed = place_events(data, axis)
    words = data.words
    rows: list[tuple[float, Callable[[Frame], Lane]]] = [
        (width.rate, rate_lane),
        (events_height(placed, width), lambda frame: events_lane(frame, placed)),
        (width.bp, pressure_lane),
        (width.hr, lambda frame: trend_lane(frame, HEART_RATE, words.hr, words.beats)),
        (width.spo2, lambda frame: trend_lane(frame, SATURATION, words.spo2, "%")),
        (width.rr, lambda frame: trend_lane(frame, BREATHING, words.rr, words.breaths)),
        (width.sedation, sedation_lane),
        (width.pain, pain_lane),
    ]
    lanes: list[Lane] = []
    top: float = HEADER
    for height, lane in rows:
        lanes.append(lane(Frame(data, axis, width, top, top + height)))
        top += height
    across = axis.right + width.right
    rules = [floor_line(across, y) for y in (HEADER, *(lane.bottom for lane in lanes))]
    ground: list[Shape] = [*grid(axis, top), *due_ticks(data, axis)]
    return Chart(
        screen=width.screen,
        width=round(across, 1),
        height=round(top + _FOOT, 1),
        left=width.left,
        right=round(axis.right, 1),
        title=words.title,
        description=describe(data),
        scrolls=axis.scrolls,
        live=axis.now is not None,
        paper=width is PRINT,
        ground=tuple(ground),
        rules=tuple(rules),
        lanes=tuple(lanes),
        front=tuple(now_line(axis, top)),
    )


def describe(data: ChartInput) -> str:
    """Return the chart in one sentence: the last value outside a limit and what followed, or that there was none."""
    shown, words = data.shown, data.words
    if not shown:
        return words.none
    found = _last_outside(shown)
    if found is None:
        first, last = clock_label(shown[0].at, data.zone), clock_label(shown[-1].at, data.zone)
        sentence = words.quiet if len(shown) > 1 else words.one
        return sentence.format(count=len(shown), first=first, last=last)
    reading, vital = found
    low, high = data.limits.get(vital, (None, None))
    value = reading.value(vital)
    side = outside_letter(value, (low, high)) if value is not None else ""
    how = {"H": words.above, "L": words.below, "": words.outside}[side]
    bound = high if side == "H" else low
    facts = {
        "name": words.long_names[vital],
        "value": _spoken(reading, vital),
        "time": clock_label(reading.at, data.zone),
        "how": how.format(limit=format_number(bound)) if bound is not None else how,
    }
    after = [each for each in shown if each.at > reading.at and each.value(vital) is not None]
    if not after:
        return words.outside_last.format(**facts)
    return words.outside_then.format(
        **facts, last=_spoken(after[-1], vital), last_time=clock_label(after[-1].at, data.zone)
    )


def _last_outside(shown: Sequence[ReadingPoint]) -> tuple[ReadingPoint, Vital] | None:
    vitals: tuple[Vital, ...] = ("sbp", "dbp", "hr", "rr", "spo2", "sedation", "pain")
    for reading in reversed(shown):
        for vital in vitals:
            if vital in reading.flagged and reading.value(vital) is not None:
                return reading, vital
    return None


def _spoken(reading: ReadingPoint, vital: Vital) -> str:
    if vital in ("sbp", "dbp") and reading.sbp is not None and reading.dbp is not None:
        return f"{format_number(reading.sbp)}/{format_number(reading.dbp)}"
    value = reading.value(vital)
    return "" if value is None else format_number(value)
