"""The last hour and a half of one vital, for a phone: what it was stands above the ladder on which it is picked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from clinic.core.drawing import Shape
from clinic.core.times import clock_label
from clinic.core.units import format_number
from clinic.sessions.chart_axis import HEADER, NUMBER, TimeAxis, due_ticks, grid, now_line, quarter
from clinic.sessions.chart_lanes import (
    BREATHING,
    HEART_RATE,
    SATURATION,
    Frame,
    pain_lane,
    pressure_lane,
    sedation_lane,
    trend_lane,
)
from clinic.sessions.chart_therapy import floor_line
from clinic.sessions.chart_types import Chart, ChartInput, Lane, Vital, Width, Words

TREND: Final = Width(
    "", 366, 60, 46, rate=0, events=0, bp=98, hr=78, spo2=78, rr=78, sedation=30, pain=56, wordy=False
)  # fmt: skip
_AHEAD: Final = timedelta(minutes=5)
# The longest of these whose numbers find room under their marks.
_SPANS: Final = tuple(timedelta(minutes=minutes) for minutes in (90, 60, 45, 30))
_FOOT: Final = 6  # px below the lane

_LANES: Final[dict[tuple[Vital, ...], tuple[int, Callable[[Frame, Words], Lane]]]] = {
    ("sbp", "dbp"): (TREND.bp, lambda frame, _: pressure_lane(frame)),
    ("hr",): (TREND.hr, lambda frame, words: trend_lane(frame, HEART_RATE, words.hr, words.beats)),
    ("rr",): (TREND.rr, lambda frame, words: trend_lane(frame, BREATHING, words.rr, words.breaths)),
    ("spo2",): (TREND.spo2, lambda frame, words: trend_lane(frame, SATURATION, words.spo2, "%")),
    ("sedation",): (TREND.sedation, lambda frame, _: sedation_lane(frame)),
    ("pain",): (TREND.pain, lambda frame, _: pain_lane(frame)),
}


def trends(data: ChartInput) -> dict[str, Chart]:
    """Draw each vital that was taken lately, by its name; systolic and diastolic are one drawing, under the first."""
    return {vitals[0]: chart for vitals in _LANES if (chart := _trend(data, vitals)) is not None}


def _trend(data: ChartInput, vitals: tuple[Vital, ...]) -> Chart | None:
    end = quarter(data.now + _AHEAD, data.zone, up=True)
    times = [reading.at for reading in data.shown if any(reading.value(vital) is not None for vital in vitals)]
    start = next((end - span for span in _SPANS if _fits(times, end - span, end, data.now)), end - _SPANS[-1])
    if not any(start <= at <= end for at in times):
        return None
    axis = TimeAxis(data.zone, start, end, TREND.left, TREND.left + TREND.plot, data.now)
    height, draw = _LANES[vitals]
    lane = draw(Frame(data, axis, TREND, HEADER, HEADER + height), data.words)
    ground: list[Shape] = [*grid(axis, lane.bottom), *due_ticks(data, axis)]
    return Chart(
        screen=TREND.screen,
        width=TREND.width,
        height=lane.bottom + _FOOT,
        left=TREND.left,
        right=axis.right,
        title=data.words.long_names[vitals[0]],
        description=_says(data, vitals, start),
        scrolls=False,
        live=True,
        paper=False,
        ground=tuple(ground),
        rules=tuple(floor_line(TREND.width, y) for y in (HEADER, lane.bottom)),
        lanes=(lane,),
        front=tuple(now_line(axis, lane.bottom)),
    )


def _fits(times: list[datetime], start: datetime, end: datetime, now: datetime) -> bool:
    """Whether the numbers of this span stand side by side before the line of now."""
    return sum(at >= start for at in times) * NUMBER <= TREND.plot * ((now - start) / (end - start))


def _says(data: ChartInput, vitals: tuple[Vital, ...], start: datetime) -> str:
    said = []
    for reading in data.shown:
        values = [reading.value(vital) for vital in vitals]
        if reading.at >= start and any(value is not None for value in values):
            text = "/".join("–" if value is None else format_number(value) for value in values)
            said.append(f"{text} at {clock_label(reading.at, data.zone)}")
    return f"{', '.join(said)}."
