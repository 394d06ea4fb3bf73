"""What the flowsheet chart is drawn from, and what a drawing is: plain frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from clinic.core.drawing import Shape

Value = int | Decimal
LowHigh = tuple[Value | None, Value | None]
EventKind = Literal["adverse", "drug", "other"]
DueState = Literal["done", "next", "upcoming", "missed", "not-done"]
Vital = Literal["sbp", "dbp", "hr", "rr", "spo2", "sedation", "pain"]


@dataclass(frozen=True, slots=True)
class ReadingPoint:
    """One set of vitals: mmHg, beats per min, breaths per min, per cent, scores. `None` was not taken.

    `flagged` names the vitals outside a limit when they were recorded. A superseded set is not drawn: it stays, struck
    through, in the table below the chart.
    """

    at: datetime
    sbp: Value | None = None
    dbp: Value | None = None
    hr: Value | None = None
    rr: Value | None = None
    spo2: Value | None = None
    sedation: Value | None = None
    pain: Value | None = None
    flagged: frozenset[str] = frozenset()
    superseded: bool = False

    def value(self, vital: Vital) -> Value | None:
        found: Value | None = getattr(self, vital)
        return found


@dataclass(frozen=True, slots=True)
class ChartEvent:
    """Something that happened, in the few words that stand beside its mark."""

    at: datetime
    kind: EventKind
    text: str


@dataclass(frozen=True, slots=True)
class DuePoint:
    """When vitals were or are planned, and what became of it."""

    at: datetime
    state: DueState


@dataclass(frozen=True, slots=True)
class Words:
    """The words on the chart in English; a caller passes another set for another language."""

    title: str = "Session flowsheet"
    rate: str = "Rate"
    events: str = "Events"
    bp: str = "BP"
    hr: str = "HR"
    spo2: str = "SpO2"
    rr: str = "RR"
    sedation: str = "Sedation"
    pain: str = "Pain"
    sys: str = "sys"
    dia: str = "dia"
    beats: str = "beats/min"
    breaths: str = "breaths/min"
    at_most: str = "max {limit}"
    at_least: str = "min {limit}"
    between: str = "{low} to {high}"
    planned_stop: str = "planned stop {time}"
    long_names: Mapping[str, str] = field(
        default_factory=lambda: {
            "sbp": "Blood pressure",
            "dbp": "Blood pressure",
            "hr": "Heart rate",
            "rr": "Breathing rate",
            "spo2": "SpO2",
            "sedation": "Sedation",
            "pain": "Pain",
        }
    )
    above: str = "above the limit of {limit}"
    below: str = "below the limit of {limit}"
    outside: str = "outside its limit"
    outside_then: str = "{name} was {value} at {time}, {how}, and {last} at {last_time}."
    outside_last: str = "{name} was {value} at {time}, {how}."
    quiet: str = "{count} sets of vitals from {first} to {last}, none outside a limit."
    one: str = "One set of vitals at {first}, within the limits."
    none: str = "No vitals yet."


@dataclass(frozen=True, slots=True)
class ChartInput:
    """A session as its chart needs it. Instants are aware UTC; labels are in `zone`, the clinic's.

    `segments` are (start, end, mg per hour); an end of `None` is still running; a gap is a pause. Without `window_end`
    the session is open and the chart ends some time after `now`. `limits` are (low, high) by vital as the order has
    them: nothing is marked where there is none. `sedation_scale` is the range of the clinic's scale, "0–4".
    """

    zone: ZoneInfo
    now: datetime
    window_start: datetime
    window_end: datetime | None = None
    started_at: datetime | None = None
    planned_stop: datetime | None = None
    stopped_at: datetime | None = None
    segments: Sequence[tuple[datetime, datetime | None, Decimal]] = ()
    maximum_rate_mg_h: Decimal | None = None
    readings: Sequence[ReadingPoint] = ()
    limits: Mapping[str, LowHigh] = field(default_factory=dict)
    events: Sequence[ChartEvent] = ()
    dues: Sequence[DuePoint] = ()
    sedation_scale: str = "0–4"
    words: Words = field(default_factory=Words)

    @property
    def shown(self) -> list[ReadingPoint]:
        """The sets of vitals that count, in the order of time."""
        return sorted((reading for reading in self.readings if not reading.superseded), key=lambda reading: reading.at)


@dataclass(frozen=True, slots=True)
class Width:
    """One of the widths a chart is drawn for, in px. `screen` is the class that shows it where it belongs."""

    screen: str
    width: int
    left: int
    right: int
    rate: int
    events: int
    bp: int
    hr: int
    spo2: int
    rr: int
    sedation: int
    pain: int
    wordy: bool = True
    # H and L beside a number outside its limit: on paper there is no red.
    letters: bool = False
    # On the phone an hour and a half fills the screen; what is earlier is reached by scrolling.
    least_px_per_minute: float = 0
    # How far an open session's chart runs ahead of the clock; 0 shows all that is planned.
    ahead_minutes: int = 0

    @property
    def plot(self) -> int:
        return self.width - self.left - self.right


WIDE: Final = Width("for-d", 1072, 92, 60, rate=58, events=40, bp=159, hr=65, spo2=55, rr=51, sedation=26, pain=44)
TABLET: Final = Width("for-t", 852, 84, 56, rate=52, events=38, bp=129, hr=55, spo2=49, rr=45, sedation=26, pain=38)
# Beside an open sheet the tablet has less room.
SHEET: Final = Width("no-phone", 752, 84, 50, rate=52, events=38, bp=129, hr=55, spo2=49, rr=45, sedation=26, pain=38)
PHONE: Final = Width(
    "for-p", 374, 60, 46, rate=44, events=36, bp=119, hr=53, spo2=47, rr=43, sedation=26, pain=36,
    wordy=False, least_px_per_minute=268 / 90, ahead_minutes=15,
)  # fmt: skip
PRINT: Final = Width(
    "", 710, 84, 52, rate=40, events=32, bp=115, hr=45, spo2=41, rr=39, sedation=22, pain=30, letters=True
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one value stands: for tests and for whoever wants to point at it."""

    at: datetime
    x: float
    y: float
    value: Value
    outside: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the chart. `name` is drawn left of the plot and `margin` right of it; both stay when it scrolls."""

    key: str
    top: float
    bottom: float
    name: tuple[Shape, ...]
    plot: tuple[Shape, ...]
    margin: tuple[Shape, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing: `width` x `height` px, the plot between `left` and `right`, the lanes from the top down.

    `scrolls` when it is wider than the screen it is for; `live` when "now" is in it; `paper` when it is for print.
    """

    screen: str
    width: float
    height: float
    left: float
    right: float
    title: str
    description: str
    scrolls: bool
    live: bool
    paper: bool
    ground: tuple[Shape, ...]
    rules: tuple[Shape, ...]
    lanes: tuple[Lane, ...]
    front: tuple[Shape, ...]
