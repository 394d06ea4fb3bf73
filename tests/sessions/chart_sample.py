"""The session of the design's drawings: ketamine, 18 November 2025, seen at 14:27."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinic.core.formats import FILTERS
from clinic.sessions.chart import Chart, ChartEvent, ChartInput, DuePoint, ReadingPoint

LISBON = ZoneInfo("Europe/Lisbon")
MINUTE = timedelta(minutes=1)


def at(hour, minute=0):
    return datetime(2025, 11, 18, hour, minute, tzinfo=UTC)


READINGS = [
    ReadingPoint(at(12, 52), 126, 78, 72, 16, 98, 0, 7),
    ReadingPoint(at(13, 20), 130, 80, 74, 16, 98, 0, 7),
    ReadingPoint(at(13, 35), 134, 82, 76, 15, 97, 1, 6),
    ReadingPoint(at(13, 50), 142, 86, 82, 14, 97, 1, 5),
    ReadingPoint(at(14, 1), 148, 88, 86, 14, 96, 2, 4),
    ReadingPoint(at(14, 15), 146, 94, 92, 13, 95, 2, 4, superseded=True),
    ReadingPoint(at(14, 15), 164, 94, 92, 13, 95, 2, 4, frozenset({"sbp"})),
    ReadingPoint(at(14, 21), 152, 88, 88, 14, 96, 2, None),
]

LIVE = ChartInput(
    zone=LISBON,
    now=at(14, 27),
    window_start=at(12, 45),
    started_at=at(13, 5),
    planned_stop=at(15, 35),
    segments=[
        (at(13, 5), at(13, 35), Decimal(15)),
        (at(13, 35), at(14, 2), Decimal(20)),
        (at(14, 2), at(14, 16), Decimal(25)),
        (at(14, 16), None, Decimal(20)),
    ],
    maximum_rate_mg_h=Decimal(30),
    readings=READINGS,
    limits={"sbp": (90, 160), "hr": (50, 110), "rr": (10, None), "spo2": (94, None), "sedation": (None, 2)},
    events=[
        ChartEvent(at(14, 9), "adverse", "nausea, mild"),
        ChartEvent(at(14, 11), "drug", "ondansetron 4 mg IV"),
    ],
    dues=[
        DuePoint(at(13, 20), "done"),
        DuePoint(at(14, 0), "missed"),
        DuePoint(at(14, 30), "next"),
        DuePoint(at(14, 45), "upcoming"),
    ],
)

STOPPED = replace(
    LIVE,
    now=at(17, 20),
    window_end=at(16, 15),
    stopped_at=at(15, 35),
    segments=[*LIVE.segments[:3], (at(14, 16), at(15, 35), Decimal(20))],
    dues=[],
)


def every_five_minutes(sets):
    """A long infusion with vitals every 5 minutes: 288 sets are 24 hours."""
    start = at(6)
    readings = [
        ReadingPoint(start + 5 * number * MINUTE, 120 + number % 50, 80, 70, 14, 97, 1, number % 11)
        for number in range(sets)
    ]
    end = readings[-1].at
    return replace(
        LIVE,
        now=end + MINUTE,
        window_start=start,
        started_at=start,
        planned_stop=None,
        readings=readings,
        events=[],
        dues=[],
        segments=[(start, None, Decimal("12.5"))],
    )


def lane(chart: Chart, key):
    return next(each for each in chart.lanes if each.key == key)


def words(shapes, kind):
    """The texts of one kind, from left to right, upper before lower."""
    found = [shape for shape in shapes if shape.tag == "text" and shape.kind.split()[0] == kind]
    return [shape.text for shape in sorted(found, key=lambda shape: (shape.x, shape.y))]


def component(name):
    loader = FileSystemLoader("templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters.update(FILTERS)
    return environment.get_template(f"components/{name}.html").module
