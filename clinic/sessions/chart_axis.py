"""The time axis of the flowsheet chart: one true scale from left to right, however the clocks on the wall change."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.drawing import Line, Path, Rect, Shape, Text, step_aside, text_width
from clinic.core.times import clock_label, local
from clinic.sessions.chart_types import ChartInput, Width

HEADER: Final = 24  # px above the first lane, for the times
NUMBER: Final = 23  # px that a number of three digits keeps for itself
EDGE: Final = 4  # px that a number may stand out of the plot
_QUARTER: Final = timedelta(minutes=15)
_ROOM: Final = timedelta(minutes=5)
_MINUTE: Final = timedelta(minutes=1)
# Numbers that stand, on average, further from their marks than this cannot be read at a glance: the drawing widens.
_MEAN_SHIFT: Final = 14
# A number that stands further from its mark would be taken for that of another, where sets crowd in one part of a day.
_MOST_SHIFT: Final = 2 * NUMBER
_MOST_PX_PER_MINUTE: Final = 6
_WIDEST_PLOT: Final = 24_000


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Instants from `start` to `end` on pixels from `left` to `right`; `now` is the clock's time, if it is in view."""

    zone: ZoneInfo
    start: datetime
    end: datetime
    left: float
    right: float
    now: datetime | None = None
    scrolls: bool = False

    def x(self, at: datetime) -> float:
        """Return the place of an instant; before the start and after the end is the edge."""
        share = (at - self.start) / (self.end - self.start)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def holds(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    @property
    def px_per_minute(self) -> float:
        return (self.right - self.left) / ((self.end - self.start) / _MINUTE)

    def aside(self, at: Sequence[datetime], widths: Sequence[float]) -> list[float]:
        """Return where numbers of these widths stand under their marks, none upon another or on the line of now."""
        edge = -1 if self.scrolls else EDGE
        most = self.right + edge
        if self.now is not None and all(instant <= self.now for instant in at):
            most = min(most, self.x(self.now) - 1)
        return step_aside([self.x(instant) for instant in at], widths, self.left - edge, most)


def quarter(at: datetime, zone: ZoneInfo, *, up: bool = False) -> datetime:
    """Return the last quarter of an hour on the clinic's clock at or before `at`; with `up` the next at or after it."""
    clock = local(at, zone)
    past = timedelta(minutes=clock.minute % 15, seconds=clock.second, microseconds=clock.microsecond)
    floor = at.astimezone(UTC) - past
    return floor + _QUARTER if up and past else floor


def window(data: ChartInput, width: Width) -> tuple[datetime, datetime, bool]:
    """Return first and last instant of the chart, and whether now lies between. Nothing recorded is left outside."""
    recorded = list(_recorded(data))
    start = min(data.window_start, data.now if data.window_end is None else data.window_start)
    if recorded and min(recorded) < start:
        start = quarter(min(recorded) - _ROOM, data.zone)
    end = data.window_end or quarter(_open_end(data), data.zone, up=True)
    if width.ahead_minutes and start <= data.now < end:
        end = min(end, quarter(data.now + timedelta(minutes=width.ahead_minutes), data.zone, up=True))
    if recorded and max(recorded) > end:
        end = quarter(max(recorded) + _ROOM, data.zone, up=True)
    end = max(end, start + _QUARTER)
    return start, end, start <= data.now < end


def _recorded(data: ChartInput) -> Iterator[datetime]:
    yield from (reading.at for reading in data.shown)
    yield from (event.at for event in data.events)
    yield from (instant for start, end, _ in data.segments for instant in (start, end) if instant)
    yield from (instant for instant in (data.started_at, data.stopped_at) if instant)


def _open_end(data: ChartInput) -> datetime:
    planned = data.planned_stop if data.planned_stop and not data.stopped_at else data.now
    return max(data.now + _QUARTER, planned + 2 * _ROOM)


def time_axis(data: ChartInput, width: Width) -> TimeAxis:
    """Return the axis of the whole session at this width, wider than the screen when the numbers need it."""
    start, end, live = window(data, width)
    minutes = (end - start) / _MINUTE
    plot = max(width.plot, width.least_px_per_minute * minutes)
    plot = max(plot, needed_plot([reading.at for reading in data.shown], start, end, least=plot))
    now = data.now if live else None
    return TimeAxis(data.zone, start, end, width.left, width.left + plot, now, scrolls=plot > width.plot)


def needed_plot(times: Sequence[datetime], start: datetime, end: datetime, *, least: float) -> float:
    """Return the plot width in px, `least` or more, at which a row of numbers at these times can be read."""
    minutes = (end - start) / _MINUTE
    most = min(_MOST_PX_PER_MINUTE * minutes, _WIDEST_PLOT)
    plot = max(least, len(times) * NUMBER)
    wanted = [(at - start) / _MINUTE / minutes for at in times]
    widths = [NUMBER] * len(times)
    while plot < most:
        places = [share * plot for share in wanted]
        moved = step_aside(places, widths, -EDGE, plot + EDGE)
        shifts = [abs(a - b) for a, b in zip(places, moved, strict=True)]
        if sum(shifts) <= _MEAN_SHIFT * len(times) and max(shifts, default=0) <= _MOST_SHIFT:
            break
        plot = min(plot * 1.1, most)
    return plot


def quarters(axis: TimeAxis) -> Iterator[tuple[datetime, int]]:
    """Yield every quarter of an hour in view and the minute of the day that the clinic's clock shows then."""
    at = quarter(axis.start, axis.zone, up=True)
    while at <= axis.end:
        clock = local(at, axis.zone)
        yield at, clock.hour * 60 + clock.minute
        at += _QUARTER


def grid(axis: TimeAxis, bottom: float) -> list[Shape]:
    """Draw the shaded future, the hairlines of the quarters, the stronger hours and the times above them."""
    shapes: list[Shape] = []
    if axis.now:
        x = axis.x(axis.now)
        shapes.append(Rect("fut", x, HEADER, axis.right - x, bottom - HEADER))
    line_every = _step((15, 30, 60, 120, 180, 360), axis.px_per_minute, least=14)
    label_every = _step((30, 60, 120, 180, 240, 360, 720, 1440), axis.px_per_minute, least=56)
    taken = _now_span(axis)
    for at, minute in quarters(axis):
        if minute % line_every == 0:
            x = axis.x(at)
            shapes.append(Line("g" if minute % 60 else "g2", x, HEADER, x, bottom))
        if minute % label_every == 0:
            label = _time(axis, at, minute)
            if _fits(axis, label, taken):
                shapes.append(label)
                taken.append(label.span)
    return shapes


def _step(choices: Sequence[int], px_per_minute: float, *, least: float) -> int:
    return next((step for step in choices if step * px_per_minute >= least), choices[-1])


def _time(axis: TimeAxis, at: datetime, minute: int) -> Text:
    return Text("ax" if minute % 60 else "lab", axis.x(at), HEADER - 9, clock_label(at, axis.zone), "middle")


def _fits(axis: TimeAxis, label: Text, taken: Iterable[tuple[float, float]]) -> bool:
    low, high = label.span
    beyond = 0 if axis.scrolls else 40
    inside = axis.left - beyond <= low and high <= axis.right + beyond
    return inside and all(high + 6 <= first or last + 6 <= low for first, last in taken)


def _now_span(axis: TimeAxis) -> list[tuple[float, float]]:
    if axis.now is None:
        return []
    box = _now_box(axis, axis.now)
    return [(box.x, box.x + box.width)]


def _now_box(axis: TimeAxis, now: datetime) -> Rect:
    wide = max(40, math.ceil(text_width(clock_label(now, axis.zone), 12)) + 8)
    x = min(max(axis.x(now) - wide / 2, axis.left), axis.right - wide)
    return Rect("nowb", x, 4, wide, 17)


def now_line(axis: TimeAxis, bottom: float) -> list[Shape]:
    """Draw the one line of the clock, with its time, over everything else."""
    if axis.now is None:
        return []
    x, box = axis.x(axis.now), _now_box(axis, axis.now)
    label = Text("nowt", box.x + box.width / 2, 16.5, clock_label(axis.now, axis.zone), "middle")
    return [Line("now", x, HEADER - 4, x, bottom), box, label]


def due_ticks(data: ChartInput, axis: TimeAxis) -> list[Shape]:
    """Draw the planned vitals: done filled, next amber, missed and upcoming hollow, not done with a stroke."""
    shapes: list[Shape] = []
    for due in data.dues:
        if not axis.holds(due.at):
            continue
        x = axis.x(due.at)
        if due.state == "upcoming" and x + EDGE > axis.right:
            continue  # half a tick at the edge says nothing
        if due.state == "next":
            shapes.append(Path("duen", f"M{x - 5:.1f} {HEADER - 1}h10l-5 8z"))
            continue
        kind = {"done": "due done", "missed": "due missed"}.get(due.state, "due")
        shapes.append(Path(kind, f"M{x - 4:.1f} {HEADER}h8l-4 6z"))
        if due.state == "not-done":
            shapes.append(Path("due", f"M{x - 4:.1f} {HEADER + 7}l8 -8"))
    return shapes
