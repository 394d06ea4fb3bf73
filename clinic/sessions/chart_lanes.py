"""The lanes of the vitals: blood pressure, the three trends, sedation and pain.

The scales are fixed, so that the same slope means the same on every chart; a scale is widened only when a value or a
limit lies outside it. Offsets inside a lane are those of the drawings in the design.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from clinic.core.drawing import Circle, Hatch, Line, Path, Rect, Shape, Text, step_aside, text_width
from clinic.core.units import format_number
from clinic.sessions.chart_axis import NUMBER, TimeAxis
from clinic.sessions.chart_types import ChartInput, Lane, LowHigh, Mark, ReadingPoint, Value, Vital, Width

_ARM: Final = 6  # half the opening of a V, px
_RISE: Final = 7  # its height
_RING: Final = 8  # radius of the ring around a dot outside its limit
_WIDE_RING: Final = 11  # and around a V
_PRESSURES: Final[tuple[Vital, Vital]] = ("sbp", "dbp")
_LIMIT_LINE: Final = 13  # px between two limits' numbers


@dataclass(frozen=True, slots=True)
class Frame:
    """What every lane is drawn with: the session, its axis, the width, and the lane's top and bottom."""

    data: ChartInput
    axis: TimeAxis
    width: Width
    top: float
    bottom: float

    @property
    def readings(self) -> list[ReadingPoint]:
        return [reading for reading in self.data.shown if self.axis.holds(reading.at)]

    def with_value(self, vital: Vital) -> list[tuple[ReadingPoint, Value]]:
        return [(reading, value) for reading in self.readings if (value := reading.value(vital)) is not None]

    def limit(self, vital: Vital) -> LowHigh:
        return self.data.limits.get(vital, (None, None))

    def name(self, text: str, unit: str, middle: float) -> list[Shape]:
        """Draw the lane's name with its unit below it, or the name alone where there is no room for units."""
        if not unit or not self.width.wordy:
            return [Text("lab", 4, middle + 6, text)]
        return [Text("lab", 4, middle, text), Text("unit", 4, middle + 15, unit)]

    def band(self, top: float, bottom: float) -> list[Shape]:
        box = (self.axis.left, top, self.axis.right - self.axis.left, bottom - top)
        return [Rect("oob", *box), Hatch(*box)] if bottom - top >= 1 else []

    def limit_line(self, y: float) -> Line:
        return Line("lim", self.axis.left, y, self.axis.right, y)

    def limit_labels(self, labels: Sequence[tuple[float, str]]) -> list[Shape]:
        """Write limits beside their lines, apart from each other and inside the lane."""
        ordered = sorted(labels)
        places = step_aside([y for y, _ in ordered], [_LIMIT_LINE] * len(ordered), self.top, self.bottom)
        x = self.axis.right + 5
        return [Text("limt", x, y + 4, text) for y, (_, text) in zip(places, ordered, strict=True)]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `bottom` up to `top`."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: Value) -> float:
        return self.bottom - (float(value) - self.low) / (self.high - self.low) * (self.bottom - self.top)


def reach(low: int, high: int, step: int, values: Sequence[Value], *, room: int = 0) -> tuple[int, int]:
    """Return the ends of a scale, each moved out by whole steps until every value is `room` inside; never below 0."""
    if values:
        most, least = float(max(values)), float(min(values))
        if most > high - room:
            high += step * math.ceil((most - high + room) / step)
        if least < low + room:
            low = max(0, low - step * math.ceil((low + room - least) / step))
    return low, high


def outside_letter(value: Value, limit: LowHigh) -> Literal["", "H", "L"]:
    """Return on which side of its limits a value lies: H above, L below, nothing within."""
    low, high = limit
    if high is not None and value > high:
        return "H"
    return "L" if low is not None and value < low else ""


def _number(frame: Frame, reading: ReadingPoint, vital: Vital, value: Value) -> str:
    letter = outside_letter(value, frame.limit(vital)) if frame.width.letters and vital in reading.flagged else ""
    return f"{format_number(value)}{letter}"


def _kind(reading: ReadingPoint, vital: Vital) -> str:
    return "val out" if vital in reading.flagged else "val"


def _room(*texts: str) -> float:
    """A number keeps the room of three digits, so that the numbers stand in columns; a longer one keeps its own."""
    return max([NUMBER, *(text_width(text, 13) + 2 for text in texts)])


def pressure_lane(frame: Frame) -> Lane:
    """Draw systolic V and diastolic inverted V with a stem, as on paper; the two numbers stand together below."""
    taken = [reading for reading in frame.readings if reading.sbp is not None or reading.dbp is not None]
    values = [value for reading in taken for value in (reading.sbp, reading.dbp) if value is not None]
    bounds = [value for vital in _PRESSURES for value in frame.limit(vital) if value is not None]
    # A V needs room above its point; a limit is only a line.
    ends = reach(*reach(40, 180, 20, bounds), 20, values, room=6)
    scale = Scale(*ends, frame.top + 5, frame.bottom - 36)
    shapes, margin = _pressure_limits(frame, scale)
    levels = [(scale.y(level), str(level)) for level in range(60, ends[1], 40)]
    shapes += [Line("g", frame.axis.left, y, frame.axis.right, y) for y, _ in levels]
    marks: list[Mark] = []
    shapes += _pressure_marks(frame, scale, taken)
    for reading in taken:
        marks += [
            Mark(reading.at, frame.axis.x(reading.at), scale.y(value), value, vital in reading.flagged)
            for vital in _PRESSURES
            if (value := reading.value(vital)) is not None
        ]
    middle = (frame.top + 5 + frame.bottom - 36) / 2
    name = frame.name(frame.data.words.bp, "mmHg", middle - 2)
    x = frame.axis.left - 6
    name += [Text("ax", x, y + 4, text, "end") for y, text in levels]
    name += [Text("ax", x, frame.bottom - 20, frame.data.words.sys, "end")]
    name += [Text("ax", x, frame.bottom - 6, frame.data.words.dia, "end")]
    plot = (*shapes, *_pressure_numbers(frame, taken))
    return Lane("bp", frame.top, frame.bottom, tuple(name), plot, tuple(margin), tuple(marks))


def _pressure_limits(frame: Frame, scale: Scale) -> tuple[list[Shape], list[Shape]]:
    """Band only what is outside for both: above the systolic's upper limit and below the diastolic's lower one."""
    words = frame.data.words
    (sys_low, sys_high), (dia_low, dia_high) = frame.limit("sbp"), frame.limit("dbp")
    plot: list[Shape] = []
    if sys_high is not None:
        plot += frame.band(frame.top, scale.y(sys_high))
    if dia_low is not None:
        plot += frame.band(scale.y(dia_low), scale.bottom)
    plain = dia_low is None and dia_high is None
    labels: list[tuple[float, str]] = []
    for value, text in (
        (sys_high, "" if plain else f" {words.sys}"),
        (sys_low, f" {words.sys}"),
        (dia_high, f" {words.dia}"),
        (dia_low, f" {words.dia}"),
    ):
        if value is not None:
            plot.append(frame.limit_line(scale.y(value)))
            labels.append((scale.y(value), f"{format_number(value)}{text}"))
    return plot, frame.limit_labels(labels)


def _pressure_marks(frame: Frame, scale: Scale, taken: Sequence[ReadingPoint]) -> list[Shape]:
    """Draw every stem and every V: those of one look are one path, which keeps a long session light."""
    stems, arms, bad = "", "", ""
    rings: list[Shape] = []
    for reading in taken:
        x = frame.axis.x(reading.at)
        if reading.sbp is not None and reading.dbp is not None:
            stems += f"M{x:.1f} {scale.y(reading.sbp):.1f}V{scale.y(reading.dbp):.1f}"
        for vital, value, away in (("sbp", reading.sbp, -1), ("dbp", reading.dbp, 1)):
            if value is None:
                continue
            y, rise = scale.y(value), away * _RISE
            drawn = f"M{x - _ARM:.1f} {y + rise:.1f}l{_ARM} {-rise}l{_ARM} {rise}"
            if vital in reading.flagged:
                bad += drawn
                rings.append(Circle("halo", x, max(y + away * 4, frame.top + _WIDE_RING), _WIDE_RING))
            else:
                arms += drawn
    return [Path(kind, d) for kind, d in (("stem", stems), ("v", arms), ("v bad", bad)) if d] + rings


def _pressure_numbers(frame: Frame, taken: Sequence[ReadingPoint]) -> list[Shape]:
    columns = [
        [
            (_number(frame, reading, vital, value), _kind(reading, vital), frame.bottom - below)
            for vital, below in zip(_PRESSURES, (20, 6), strict=True)
            if (value := reading.value(vital)) is not None
        ]
        for reading in taken
    ]
    widths = [_room(*(text for text, _, _ in column)) for column in columns]
    places = frame.axis.aside([reading.at for reading in taken], widths)
    return [
        Text(kind, x, y, text, "middle") for x, column in zip(places, columns, strict=True) for text, kind, y in column
    ]


@dataclass(frozen=True, slots=True)
class Trend:
    """A vital drawn as a line of marks on a fixed scale."""

    vital: Vital
    low: int
    high: int
    step: int


HEART_RATE: Final = Trend("hr", 40, 120, 20)
SATURATION: Final = Trend("spo2", 88, 100, 4)
BREATHING: Final = Trend("rr", 6, 24, 6)


def trend_lane(frame: Frame, trend: Trend, name: str, unit: str) -> Lane:
    """Draw one vital: bands outside its limits, a line through its marks, each number below its mark."""
    taken = frame.with_value(trend.vital)
    low, high = frame.limit(trend.vital)
    bounds = [value for value in (low, high) if value is not None]
    ends = reach(trend.low, trend.high, trend.step, [value for _, value in taken] + bounds)
    scale = Scale(*ends, frame.top + 6, frame.bottom - 21)
    plot: list[Shape] = []
    if high is not None:
        plot += [*frame.band(frame.top, scale.y(high)), frame.limit_line(scale.y(high))]
    if low is not None:
        plot += [*frame.band(scale.y(low), frame.bottom - 15), frame.limit_line(scale.y(low))]
    marks = [
        Mark(reading.at, frame.axis.x(reading.at), scale.y(value), value, trend.vital in reading.flagged)
        for reading, value in taken
    ]
    if len(marks) > 1:
        plot.append(Path("ln", "M" + "L".join(f"{mark.x:.1f} {mark.y:.1f}" for mark in marks)))
    plot += _trend_marks(frame, trend, marks)
    texts = [_number(frame, reading, trend.vital, value) for reading, value in taken]
    places = frame.axis.aside([reading.at for reading, _ in taken], [_room(text) for text in texts])
    for x, text, (reading, _) in zip(places, texts, taken, strict=True):
        plot.append(Text(_kind(reading, trend.vital), x, frame.bottom - 4, text, "middle"))
    margin = frame.limit_labels([(scale.y(value), format_number(value)) for value in bounds])
    title = frame.name(name, unit, (frame.top + frame.bottom - 15) / 2 + 2)
    return Lane(trend.vital, frame.top, frame.bottom, tuple(title), tuple(plot), tuple(margin), tuple(marks))


def _trend_marks(frame: Frame, trend: Trend, marks: Sequence[Mark]) -> list[Shape]:
    shapes: list[Shape] = []
    for bad, chosen in (("", [mark for mark in marks if not mark.outside]), (" bad", [m for m in marks if m.outside])):
        if trend is BREATHING and chosen:
            crosses = (f"M{mark.x - 4:.1f} {mark.y - 4:.1f}l8 8m0-8l-8 8" for mark in chosen)
            shapes.append(Path(f"v{bad}", "".join(crosses)))
        elif trend is not BREATHING:
            kind = f"{'dot' if trend is HEART_RATE else 'ring'}{bad}"
            shapes += [Circle(kind, mark.x, mark.y, 4) for mark in chosen]
    # Near an edge the ring gives way a little; it still holds the mark.
    low, high = frame.top + _RING + 1, frame.bottom - 15
    return shapes + [Circle("halo", mark.x, min(max(mark.y, low), high), _RING) for mark in marks if mark.outside]


def sedation_lane(frame: Frame) -> Lane:
    """Draw the score in a box, darker as it leaves 0; the box steps aside with its digit."""
    taken = frame.with_value("sedation")
    texts = [_number(frame, reading, "sedation", value) for reading, value in taken]
    places = frame.axis.aside([reading.at for reading, _ in taken], [_room(text) for text in texts])
    high = frame.bottom - frame.top - 6
    middle = (frame.top + frame.bottom) / 2
    plot: list[Shape] = []
    marks: list[Mark] = []
    for x, text, (reading, value) in zip(places, texts, taken, strict=True):
        outside = "sedation" in reading.flagged
        wide = max(20, text_width(text, 13))
        kind = f"sc s{min(2, abs(int(value)))}{' bad' if outside else ''}"
        plot.append(Rect(kind, x - wide / 2, frame.top + 3, wide, high))
        plot.append(Text(_kind(reading, "sedation"), x, middle + 4.5, text, "middle"))
        marks.append(Mark(reading.at, x, middle, value, outside))
    name: list[Shape] = [Text("lab", 4, middle + 4, frame.data.words.sedation)]
    if frame.width.wordy and frame.data.sedation_scale:
        name.append(Text("ax", frame.axis.left - 2, middle + 4, frame.data.sedation_scale, "end"))
    margin = _score_limit(frame, "sedation", middle)
    return Lane("sedation", frame.top, frame.bottom, tuple(name), tuple(plot), tuple(margin), tuple(marks))


def pain_lane(frame: Frame) -> Lane:
    """Draw pain from 0 to 10 as bars, each with its number on top."""
    taken = frame.with_value("pain")
    texts = [_number(frame, reading, "pain", value) for reading, value in taken]
    places = frame.axis.aside([reading.at for reading, _ in taken], [_room(text) for text in texts])
    foot, step = frame.bottom - 2, (frame.bottom - frame.top - 16) / 10
    plot: list[Shape] = []
    marks: list[Mark] = []
    for place, text, (reading, value) in zip(places, texts, taken, strict=True):
        x, outside = frame.axis.x(reading.at), "pain" in reading.flagged
        top = foot - step * float(value)
        plot.append(Rect("pbar bad" if outside else "pbar", x - 4, top, 8, foot - top))
        plot.append(Text(_kind(reading, "pain"), place, top - 4, text, "middle"))
        marks.append(Mark(reading.at, x, top, value, outside))
    middle = (frame.top + frame.bottom) / 2
    name: list[Shape] = [Text("lab", 4, middle + 4, frame.data.words.pain)]
    if frame.width.wordy:
        name.append(Text("ax", frame.axis.left - 2, middle + 4, "0–10", "end"))
    margin = _score_limit(frame, "pain", middle)
    return Lane("pain", frame.top, frame.bottom, tuple(name), tuple(plot), tuple(margin), tuple(marks))


def _score_limit(frame: Frame, vital: Vital, middle: float) -> list[Shape]:
    low, high = frame.limit(vital)
    words = frame.data.words
    if low is not None and high is not None:
        text = words.between.format(low=format_number(low), high=format_number(high))
    elif high is not None:
        text = words.at_most.format(limit=format_number(high))
    elif low is not None:
        text = words.at_least.format(limit=format_number(low))
    else:
        return []
    return [Text("limt", frame.axis.right + 5, middle + 4, text)]
