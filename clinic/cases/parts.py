"""The parts of a case file as plain values.

Quantities are Decimal with the digits of the file, instants aware and in UTC. None means that the file does not say.
`place` is where a part stands (`file:line:column: C03.infusion[2]`), for whoever plays the case and has to refuse it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from clinic.cases.account import DrugAccountPart
from clinic.cases.instants import Moment

# What a case expects under one name: a figure, a text, true or false, nothing (null), or a list of these.
ExpectedScalar = Decimal | str | bool | None
ExpectedValue = ExpectedScalar | tuple[ExpectedScalar, ...]


class Exit(StrEnum):
    """How a session ends for the patient (REFERENCE.md 1.8)."""

    HOME = "home"
    TRANSFER = "transfer"
    ADMITTED = "admitted"
    AGAINST_ADVICE = "against_advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPart:
    """The patient. `allergies` is None when the file does not say, empty when there are none."""

    mrn: str
    name: str
    sex: str | None
    born: date | None
    weight_kg: Decimal | None
    weight_method: str | None
    height_cm: Decimal | None
    allergies: tuple[str, ...] | None
    problem: str | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseTurn:
    """A hold, a resumption or the end of a course."""

    at: datetime
    by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePart:
    """The planned series. `status` is the one that the file states for the time before the session."""

    status: str | None
    intent: str | None
    sessions_planned: int | None
    shape: str | None
    protocol: str | None
    peg_baseline: tuple[Decimal, ...]
    nrs_baseline: Decimal | None
    holds: tuple[CourseTurn, ...]
    resumptions: tuple[CourseTurn, ...]
    ending: CourseTurn | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPart:
    """One order version. `start`, `step` and `max` are rates in the unit of `basis`, totals are mg, times minutes.

    `prn`, `notify`, `hold` and `start_limit` are the file's words; `prn_line` and `limit_terms` of `facts` read them.
    """

    drug: str
    basis: str | None
    conc_mg_ml: Decimal | None
    rxcui_product: str | None
    diluent: str | None
    start: Decimal | None
    by_session: tuple[Decimal, ...]
    step: Decimal | None
    step_every_min: Decimal | None
    max: Decimal | None
    total_mg_kg: Decimal | None
    total_mg: Decimal | None
    duration_min: Decimal | None
    max_duration_min: Decimal | None
    max_total_mg: Decimal | None
    max_rate_mg_kg_h: Decimal | None
    max_rate_mg_h: Decimal | None
    max_rate_ml_h: Decimal | None
    weight_used_kg: Decimal | None
    weight_taken: date | None
    bolus_mg: Decimal | None
    obs_every_min: Decimal | None
    prn: tuple[str, ...]
    notify: str | None
    hold: str | None
    start_limit: str | None
    verbal: bool
    version: int
    signed_by: str | None
    signed_at: datetime | None
    valid_from: date | None
    valid_to: date | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEntry:
    """One visit that the desk had booked and what became of it. `facts.gate_facts` reads `detail`."""

    on: date
    at: datetime | None
    appointment: str | None
    reason: str | None
    detail: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPart:
    """Who, where and when.

    `start` is minute 0; `end` is the stop where the file states it here. `nurses` are all of them, `nurse` the first.
    """

    no: int | None
    start: datetime
    end: datetime | None
    chair: str | None
    nurse: str | None
    nurses: tuple[str, ...]
    second_check: str | None
    supervising: str | None
    fasting_h_solid: Decimal | None
    fasting_h_clear: Decimal | None
    escort: str | None
    pregnancy_test: str | None
    iv: str | None
    weight_kg: Decimal | None
    weight_used_kg: Decimal | None
    order_version: int | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionRow:
    """One stretch at one rate, always above 0. Stretches follow in time and never overlap; a gap is a pause."""

    start: Moment
    end: Moment
    rate_ml_h: Decimal
    note: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BolusRow:
    """A dose given at once, from `boluses` or from an event of kind bolus. `over_min` is None when not said."""

    when: Moment
    dose_mg: Decimal
    over_min: Decimal | None
    by: str | None
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRow:
    """What was seen at one time. In `values` None is "not measured"; a column that the row lacks is absent.

    Names are those of REFERENCE.md 2.1 (sbp, dbp, hr, rr, spo2, etco2, rass, nrs, dissociation, nausea, temp …).
    `remarks` holds columns with words in them.
    """

    when: Moment
    values: Mapping[str, Decimal | None]
    remarks: Mapping[str, str]
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Something that happened. `kind` is the file's word; `facts.facts` reads kind and text."""

    when: Moment
    kind: str
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPart:
    """A corrected value (`kind` "correction": `column`, `was`, `now`) or a late entry (`kind` "late_entry")."""

    kind: str
    obs: Moment | None
    column: str | None
    was: Decimal | str | None
    now: Decimal | str | None
    entered: Moment | None
    corrected: Moment | None
    observed: Moment | None
    recorded: Moment | None
    by: str | None
    reason: str | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMissPart:
    """A wrong rate that was caught before it reached the patient."""

    when: Moment | None
    entered_ml_h: Decimal | None
    expected_ml_h: Decimal | None
    implied_mg_kg_h: Decimal | None
    ordered_mg_kg_h: Decimal | None
    hard_limit_mg_kg_h: Decimal | None
    caught_by: str | None
    record: str | None
    system: str | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventPart:
    """Something harmful. `criterion` says why it is serious; `resolved` None is not resolved or not said."""

    term: str
    grade: int | None
    serious: bool | None
    criterion: str | None
    onset: Moment | None
    resolved: Moment | None
    action: str | None
    causality: str | None
    outcome: str | None
    told: str | None
    report: str | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargePart:
    """The end of the visit.

    Scores are five items each, None where one was not scored; empty when the scale was not used. `reason` is also the
    text of a discharge that is only a sentence.
    """

    mpadss: tuple[int | None, ...]
    aldrete: tuple[int | None, ...]
    when: Moment | None
    exit: Exit | None
    to: str | None
    by: str | None
    escort: str | None
    reason: str | None
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpPart:
    """The call after the session and the physician's decision. `call_h` counts hours from the session's start."""

    call_h: Decimal | None
    call: Moment | None
    is_reached: bool
    peg: tuple[Decimal, ...]
    nrs: Decimal | None
    pgic: Decimal | None
    decision: str | None
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One figure that a case must end with.

    `name` is dotted for nested ones (`waste.bag_remainder`). `text` is the figure as written; a computed figure is
    rounded to its decimals before the two are compared.
    """

    name: str
    value: ExpectedValue
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCase:
    """One session of a case with everything that belongs to it; rows stand in file order.

    `order` is the session's own where it has one, else None and the case's orders hold.
    """

    session: SessionPart
    order: OrderPart | None
    infusion: tuple[InfusionRow, ...]
    boluses: tuple[BolusRow, ...]
    obs: tuple[ObservationRow, ...]
    events: tuple[EventRow, ...]
    corrections: tuple[CorrectionPart, ...]
    near_misses: tuple[NearMissPart, ...]
    adverse_events: tuple[AdverseEventPart, ...]
    drug_accounts: tuple[DrugAccountPart, ...]
    discharge: DischargePart | None
    follow_ups: tuple[FollowUpPart, ...]
    expect: tuple[Expected, ...]
    exit: Exit | None

    @property
    def follow_up(self) -> FollowUpPart | None:
        return self.follow_ups[-1] if self.follow_ups else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One worked case. `orders` holds its versions in turn; `sessions` is empty when none took place.

    `expect` belongs to the whole case; sessions given as a list may have their own besides. `people` are the staff
    codes (`PHY-1`) that stand anywhere in it.
    """

    id: str
    title: str
    zone: ZoneInfo | None
    patient: PatientPart
    course: CoursePart | None
    orders: tuple[OrderPart, ...]
    gates: tuple[GateEntry, ...]
    sessions: tuple[SessionCase, ...]
    expect: tuple[Expected, ...]
    people: tuple[str, ...]
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A whole file. `staff` maps codes to names where the file has them; `warnings` name what was left aside."""

    name: str
    schema: str
    fictional: bool | None
    zone: ZoneInfo | None
    staff: Mapping[str, str]
    cases: tuple[Case, ...]
    warnings: tuple[str, ...]
