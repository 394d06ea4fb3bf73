"""The scores of one measure over a course, drawn: time to the right, the whole scale upwards, sessions as ticks.

`templates/components/spark.html` turns it into inline SVG.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.drawing import Circle, Line, Path, Shape, Text, step_aside, text_width
from clinic.core.times import date_label, local
from clinic.core.units import format_number

WIDTH: Final = 344  # fits a phone; wider screens have two side by side
BESIDE: Final = 300  # the column beside a course
_LEFT: Final = 36
_RIGHT: Final = 16
_TOP: Final = 22
_FOOT: Final = 84
_HEIGHT: Final = 104
_TICK: Final = 5
_ROOM_FOR_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A score of the measure; the first of a course is what later ones are held against."""

    at: datetime
    score: Decimal
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """A drawing of `width` x `height` px."""

    title: str
    description: str
    shapes: tuple[Shape, ...]
    width: int
    height: int = _HEIGHT


def draw_scores(
    title: str,
    points: Sequence[ScorePoint],
    *,
    bounds: tuple[Decimal, Decimal] | None,
    sessions: Sequence[datetime],
    zone: ZoneInfo,
    width: int = WIDTH,
) -> ScoreChart:
    """Draw the scores of one measure in the order of time, on its own scale, never one fitted to a patient."""
    low, high = bounds or _round(points)
    first = min([*(point.at for point in points), *sessions])
    last = max([*(point.at for point in points), *sessions])
    span = max((last - first).total_seconds(), 1)

    def x(at: datetime) -> float:
        return _LEFT + (at - first).total_seconds() / span * (width - _LEFT - _RIGHT)

    def y(score: Decimal) -> float:
        return _FOOT - float((score - low) / (high - low)) * (_FOOT - _TOP)

    shapes: list[Shape] = []
    for score in (low, high):
        shapes.append(Line("g2" if score == low else "g", _LEFT, y(score), width - _RIGHT, y(score)))
        shapes.append(Text("ax", _LEFT - 6, y(score) + 4, format_number(score), "end"))
    shapes += [Line("plan", x(at), _FOOT, x(at), _FOOT + _TICK) for at in sessions]
    if len(points) > 1:
        way = " L".join(f"{x(point.at):.1f} {y(point.score):.1f}" for point in points)
        shapes.append(Path("ratel", f"M{way}"))
    for point in points:
        shapes.append(Circle("ring" if point.is_baseline else "dot", x(point.at), y(point.score), 4))
    shapes += _numbers(points, [x(point.at) for point in points], [y(point.score) for point in points], width)
    shapes += _days(points, [x(point.at) for point in points], zone)
    return ScoreChart(title, _says(points, zone), tuple(shapes), width)


def _round(points: Sequence[ScorePoint]) -> tuple[Decimal, Decimal]:
    """The ends of a scale that nobody named: from 0, or the lowest score, to the highest."""
    low = min(Decimal(0), *(point.score for point in points))
    high = max(point.score for point in points)
    return low, high if high > low else low + 1


def _numbers(points: Sequence[ScorePoint], xs: Sequence[float], ys: Sequence[float], width: int) -> Iterator[Text]:
    """Each number over its mark; those that would collide step aside, none is dropped."""
    words = [format_number(point.score) for point in points]
    places = step_aside(xs, [text_width(word, 13) + 4 for word in words], _LEFT, width - 2)
    for word, place, y in zip(words, places, ys, strict=True):
        yield Text("val", place, y - 8, word, "middle")


def _days(points: Sequence[ScorePoint], xs: Sequence[float], zone: ZoneInfo) -> Iterator[Text]:
    """The first and the last day, where there is room for both."""
    yield Text("ax", xs[0], _FOOT + 18, date_label(local(points[0].at, zone).date())[:6], "start")
    if xs[-1] - xs[0] > _ROOM_FOR_DAYS * 2:
        yield Text("ax", xs[-1], _FOOT + 18, date_label(local(points[-1].at, zone).date())[:6], "end")


def _says(points: Sequence[ScorePoint], zone: ZoneInfo) -> str:
    parts = [
        f"{format_number(point.score)} on {date_label(local(point.at, zone).date())[:6]}"
        f"{', before the course' if point.is_baseline else ''}"
        for point in points
    ]
    return f"{'; '.join(parts)}."
