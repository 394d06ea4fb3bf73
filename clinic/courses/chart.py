"""A course in one drawing: pain before and after each session, the patient's diary between, the booked sessions ahead.

`templates/components/pain_chart.html` turns it into inline SVG.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.drawing import Circle, Line, Shape, Text, text_width
from clinic.core.times import date_label, local
from clinic.core.units import format_number

Score = int | Decimal

_LEFT: Final = 40  # px from the edge to the plot
_FIRST: Final = 70  # px to the first day
_AFTER: Final = 60  # px kept free after the last
_END: Final = 8
_USUAL_WIDTH: Final = 808
_TOP: Final = 16  # pain 10
_FOOT: Final = 104  # pain 0
_LABEL_LINE: Final = 14
_APART: Final = 7  # px from a session's middle to its ring and its dot
_ROOM_BESIDE: Final = 52  # px between sessions at which numbers stand beside their marks; closer, above and below
_ROOM: Final = 26  # px between sessions below which the drawing widens
_WIDEST: Final = 8000


@dataclass(frozen=True, slots=True)
class SessionPain:
    """A session that took place: pain 0 to 10 before and after it, `None` when it was not asked."""

    number: int
    at: datetime
    before: Score | None
    after: Score | None


@dataclass(frozen=True, slots=True)
class BookedSession:
    """A session still to come."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class DiaryPoint:
    """What the patient wrote down at home on one day, 0 to 10."""

    on: date
    score: Score


@dataclass(frozen=True, slots=True)
class PainInput:
    """A course as its pain chart needs it: instants aware UTC, days by the clinic's `zone`."""

    zone: ZoneInfo
    sessions: Sequence[SessionPain] = ()
    booked: Sequence[BookedSession] = ()
    diary: Sequence[DiaryPoint] = ()
    title: str = "Pain before and after each session"


@dataclass(frozen=True, slots=True)
class PainChart:
    """A drawing of `width` x `height` px; wider than `usual_width` it wants to scroll."""

    title: str
    description: str
    width: float
    height: float
    shapes: tuple[Shape, ...]
    usual_width: int = _USUAL_WIDTH

    @property
    def scrolls(self) -> bool:
        return self.width > self.usual_width


@dataclass(frozen=True, slots=True)
class _Days:
    """Calendar days on pixels; sessions of one day share its width."""

    first: float
    px: float

    def x(self, day: float) -> float:
        return _FIRST + (day - self.first) * self.px


def draw(data: PainInput) -> PainChart:
    """Draw the course, all of it on one true axis of days."""
    columns = _columns(data)
    days = [day for day, _ in columns] + [point.on.toordinal() for point in data.diary]
    first, last = min(days, default=0), max(days, default=0)
    px = (_USUAL_WIDTH - _END - _AFTER - _FIRST) / (last - first + 1)
    closest = min((b - a for a, b in pairwise(sorted(day for day, _ in columns))), default=1)
    px = max(px, min(_ROOM / closest, _WIDEST / (last - first + 1)))
    scale = _Days(first, px)
    width = max(_USUAL_WIDTH, scale.x(last + 1) + _AFTER + _END)
    beside = closest * px >= _ROOM_BESIDE
    shapes = list(_grid(width))
    shapes += [Circle("nt", scale.x(point.on.toordinal()), _y(point.score), 2.5) for point in data.diary]
    for day, column in columns:
        shapes += (
            _booked(scale.x(day))
            if isinstance(column, BookedSession)
            else _session(scale.x(day), column, beside=beside)
        )
    labels, lines = _labels([(scale.x(day), _label(data.zone, column)) for day, column in columns])
    height = _FOOT + 20 + (lines - 1) * _LABEL_LINE
    return PainChart(data.title, _says(data), round(width, 1), height, (*shapes, *labels))


def _columns(data: PainInput) -> list[tuple[float, SessionPain | BookedSession]]:
    """Return each session with its day, the second of one day half a day on, and so forth."""
    columns: list[SessionPain | BookedSession] = [*data.sessions, *data.booked]
    ordered = sorted(columns, key=lambda each: each.at)
    days = [local(each.at, data.zone).date().toordinal() for each in ordered]
    return [
        (day + days[:place].count(day) / days.count(day), each)
        for place, (day, each) in enumerate(zip(days, ordered, strict=True))
    ]


def _y(score: Score) -> float:
    return _FOOT - float(score) / 10 * (_FOOT - _TOP)


def _grid(width: float) -> Iterator[Shape]:
    for score, kind in ((0, "g2"), (5, "g"), (10, "g2")):
        yield Line(kind, _LEFT, _y(score), width - _END, _y(score))
        yield Text("ax", _LEFT - 8, _y(score) + 4, str(score), "end")


def _booked(x: float) -> list[Shape]:
    return [Line("plan", x, _TOP, x, _FOOT)]


def _session(x: float, session: SessionPain, *, beside: bool) -> list[Shape]:
    """Draw the ring of before and the dot of after, joined, with their numbers."""
    left, right = x - _APART, x + _APART
    shapes: list[Shape] = []
    if session.before is not None and session.after is not None:
        shapes.append(Line("ratel", left, _y(session.before), right, _y(session.after)))
    if session.before is not None:
        y, text = _y(session.before), format_number(session.before)
        shapes.append(Circle("ring", left, y, 5))
        shapes.append(Text("val lg", left - 8, y + 4, text, "end") if beside else _over(left, y, text))
    if session.after is not None:
        y, text = _y(session.after), format_number(session.after)
        shapes.append(Circle("dot", right, y, 5))
        shapes.append(Text("val lg", right + 8, y + 5, text) if beside else _under(right, y, text))
    return shapes


def _over(x: float, y: float, text: str) -> Text:
    return Text("val lg", x, y - 9 if y > _TOP + 6 else y + 20, text, "middle")


def _under(x: float, y: float, text: str) -> Text:
    return Text("val lg", x, y + 20 if y < _FOOT - 12 else y - 9, text, "middle")


def _label(zone: ZoneInfo, column: SessionPain | BookedSession) -> str:
    return f"{column.number} · {date_label(local(column.at, zone).date())[:6]}"


def _labels(wanted: Sequence[tuple[float, str]]) -> tuple[list[Shape], int]:
    """Write number and day below each session, in as many lines as keep neighbours apart."""
    room = max((text_width(text, 12) + 6 for _, text in wanted), default=0)
    gap = min((b - a for (a, _), (b, _) in pairwise(wanted)), default=room)
    lines = max(1, math.ceil(room / max(gap, 1)))
    lines = min(lines, len(wanted) or 1)
    shapes: list[Shape] = [
        Text("ax", x, _FOOT + 14 + place % lines * _LABEL_LINE, text, "middle")
        for place, (x, text) in enumerate(wanted)
    ]
    return shapes, lines


def _says(data: PainInput) -> str:
    pairs = [
        f"{format_number(each.before)} to {format_number(each.after)}"
        for each in sorted(data.sessions, key=lambda each: each.at)
        if each.before is not None and each.after is not None
    ]
    done = f"Pain before and after {len(pairs)} of the sessions: {', '.join(pairs)}" if pairs else "No pain scores yet"
    return f"{done}; {len(data.booked)} more booked." if data.booked else f"{done}."
