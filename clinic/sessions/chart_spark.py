"""Small multiples: the sessions of a course side by side, rate, blood pressure, pain and events on the same scales.

Time is counted from the start of each infusion, so the same place means the same moment of the treatment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from clinic.core.drawing import Circle, Hatch, Line, Path, Rect, Shape, Text
from clinic.core.units import Unit, format_number, format_quantity
from clinic.sessions.chart_axis import TimeAxis
from clinic.sessions.chart_lanes import Scale, reach
from clinic.sessions.chart_therapy import rate_steps
from clinic.sessions.chart_types import ChartInput, ReadingPoint, Value

WIDTH: Final = 120
HEIGHT: Final = 176
_EDGE: Final = 4
_RATE: Final = (10, 34)  # the highest rate and zero, px from the top
_PRESSURE: Final = (40, 98.3)
_PAIN: Final = (106, 150)
_EVENTS: Final = 165
_ARM: Final = 3.5
_RISE: Final = 4
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Spark:
    """One session of the row: shapes in a box of 120 x 176."""

    title: str
    description: str
    shapes: tuple[Shape, ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all sessions of the row have in common: the time around the start, the highest rate, the pressures."""

    before: timedelta
    after: timedelta
    rate: Decimal
    pressure: tuple[int, int]


def small_multiples(sessions: Sequence[tuple[str, ChartInput]]) -> tuple[Spark, ...]:
    """Draw the sessions of a course, each given with its title, in the order given, on shared scales."""
    inputs = [data for _, data in sessions]
    spans = [(_begun(data), _moments(data)) for data in inputs]
    before = max((begun - min(moments) for begun, moments in spans), default=_MINUTE)
    after = max((max(moments) - begun for begun, moments in spans), default=_MINUTE)
    rates = [data.maximum_rate_mg_h or Decimal(0) for data in inputs]
    rates += [rate for data in inputs for _, _, rate in data.segments]
    pressures = [value for data in inputs for reading in data.shown for value in (reading.sbp, reading.dbp)]
    limits = [data.limits.get("sbp", (None, None))[1] for data in inputs]
    known: list[Value] = [value for value in (*pressures, *limits) if value is not None]
    shared = _Shared(
        before, max(after, _MINUTE), max(rates, default=Decimal(0)) or Decimal(1), reach(40, 180, 20, known)
    )
    return tuple(_spark(title, data, shared) for title, data in sessions)


def _begun(data: ChartInput) -> datetime:
    starts = [start for start, _, _ in data.segments]
    return data.started_at or min([*starts, *(reading.at for reading in data.shown)], default=data.window_start)


def _moments(data: ChartInput) -> list[datetime]:
    ends = [end or max(data.now, start) for start, end, _ in data.segments]
    return [_begun(data), *ends, *(reading.at for reading in data.shown), *(event.at for event in data.events)]


def _spark(title: str, data: ChartInput, shared: _Shared) -> Spark:
    begun = _begun(data)
    axis = TimeAxis(data.zone, begun - shared.before, begun + shared.after, _EDGE, WIDTH - _EDGE)
    hour = timedelta(hours=1)
    hours = [axis.x(begun + hour * number) for number in range(1, int(shared.after / hour) + 1)]
    shapes: list[Shape] = [Line("g", x, 0, x, HEIGHT) for x in hours]
    shapes += _rate(data, axis, shared)
    shapes += _pressure(data, axis, shared)
    shapes += _pain(data, axis)
    for event in data.events:
        if event.kind == "adverse":
            shapes.append(Path("dia", f"M{axis.x(event.at):.1f} {_EVENTS - 6}l6 6-6 6-6-6z"))
    return Spark(title, _says(data), tuple(shapes))


def _rate(data: ChartInput, axis: TimeAxis, shared: _Shared) -> list[Shape]:
    top, foot = _RATE
    shapes: list[Shape] = []
    outline = ""
    ends = [end or max(data.now, start) for start, end, _ in data.segments]
    for step in rate_steps(data, axis):
        if ends and step.start >= max(ends):
            break
        left, right = axis.x(step.start), axis.x(step.end)
        y = foot - float(step.rate / shared.rate) * (foot - top)
        if step.rate:
            shapes.append(Rect("rate", left, y, right - left, foot - y))
        outline += f"{'' if outline else f'M{left:.1f} {foot}'}V{y:.1f}H{right:.1f}"
    if outline:
        shapes.append(Path("ratel", f"{outline}V{foot}"))
    return [*shapes, Line("rule2", 0, foot + 0.5, WIDTH, foot + 0.5)]


def _pressure(data: ChartInput, axis: TimeAxis, shared: _Shared) -> list[Shape]:
    top, foot = _PRESSURE
    scale = Scale(*shared.pressure, top, foot)
    shapes: list[Shape] = []
    limit = data.limits.get("sbp", (None, None))[1]
    if limit is not None:
        y = scale.y(limit)
        if y > top:
            shapes += [Rect("oob", 0, top, WIDTH, y - top), Hatch(0, top, WIDTH, y - top)]
        shapes.append(Line("lim", 0, y, WIDTH, y))
    for reading in data.shown:
        shapes += _pressure_mark(reading, axis.x(reading.at), scale)
    return [*shapes, Line("rule2", 0, foot + 0.2, WIDTH, foot + 0.2)]


def _pressure_mark(reading: ReadingPoint, x: float, scale: Scale) -> list[Shape]:
    shapes: list[Shape] = []
    if reading.sbp is not None and reading.dbp is not None:
        shapes.append(Line("stem", x, scale.y(reading.sbp), x, scale.y(reading.dbp)))
    for vital, value, rise in (("sbp", reading.sbp, -_RISE), ("dbp", reading.dbp, _RISE)):
        if value is not None:
            y = scale.y(value)
            kind = "v bad" if vital in reading.flagged else "v"
            shapes.append(Path(kind, f"M{x - _ARM:.1f} {y + rise:.1f}L{x:.1f} {y:.1f}L{x + _ARM:.1f} {y + rise:.1f}"))
    return shapes


def _pain(data: ChartInput, axis: TimeAxis) -> list[Shape]:
    top, foot = _PAIN
    scale = Scale(0, 10, top, foot)
    shapes: list[Shape] = [Line("g", 0, scale.y(score), WIDTH, scale.y(score)) for score in (0, 5, 10)]
    points = [(axis.x(each.at), scale.y(each.pain), each.pain) for each in data.shown if each.pain is not None]
    if not points:
        return shapes
    if len(points) > 1:
        shapes.append(Path("ln", "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)))
    ends = (0, len(points) - 1)
    shapes += [Circle("dot", x, y, 3.5 if place in ends else 2.2) for place, (x, y, _) in enumerate(points)]
    (first_x, first_y, first), (last_x, last_y, last) = points[0], points[-1]
    shapes.append(Text("val lg", first_x + 1, _above(first_y), format_number(first)))
    if len(points) > 1:
        # Scores taken at nearly the same time still stand apart.
        x = max(last_x - 1, first_x + 30)
        shapes.append(Text("val lg", x, _above(last_y), format_number(last), "end"))
    return shapes


def _above(y: float) -> float:
    """The number stands over its dot, or under it where it would reach into the pressures."""
    return y - 7 if y - 7 > _PAIN[0] else y + 17


def _says(data: ChartInput) -> str:
    """Return the session in one sentence, from what there is."""
    said: list[str] = []
    if data.segments:
        highest = max(rate for _, _, rate in data.segments)
        said.append(f"highest rate {format_quantity(highest, Unit.MG_PER_H, spoken=True)}")
    systolic = [reading.sbp for reading in data.shown if reading.sbp is not None]
    if systolic:
        said.append(f"highest systolic {format_number(max(systolic))}")
    pain = [reading.pain for reading in data.shown if reading.pain is not None]
    if pain:
        said.append(f"pain {format_number(pain[0])} to {format_number(pain[-1])}")
    adverse = [event.text for event in data.events if event.kind == "adverse"]
    said.append("; ".join(adverse) if adverse else "no adverse events")
    sentence = ", ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."
