"""The signed observation schedule of a session: its loaded rows go in, each due time and what became of it come out."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.orders.rules import Breach, LimitLevel, Vital
from clinic.protocols.models import Terms
from clinic.protocols.vital_names import NAMES, vitals_of
from clinic.sessions.due_rules import Anchor, AnchorKind, Due, Phase, Seen, SettledDue, due_times, settle
from clinic.sessions.models import AdministrationEvent, InfusionSession, ObservationSet, PrnDose
from clinic.sessions.rules import AdministrationKind, SessionStatus
from clinic.sessions.vital_rules import PAIN_NOT_ASKED

_COLUMNS = tuple((vital, vital.value) for vital in Vital)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a session: vitals, what of them is outside a limit, acts, doses, times not done, and its end."""

    seen: Sequence[ObservationSet]
    outside: Mapping[uuid.UUID, Sequence[Breach]]
    acts: Sequence[AdministrationEvent]
    doses: Sequence[PrnDose]
    not_done: Sequence[datetime]
    closed_at: datetime | None


_ANCHORED = {
    AdministrationKind.START: AnchorKind.START,
    AdministrationKind.RATE_CHANGE: AnchorKind.RATE_CHANGE,
    AdministrationKind.BOLUS: AnchorKind.BOLUS,
    AdministrationKind.PAUSE: AnchorKind.PAUSE,
    AdministrationKind.STOP: AnchorKind.STOP,
}


def dues_of(infusion: InfusionSession, stands: Standing, now: datetime, stop: datetime | None) -> list[SettledDue]:
    """Return every due time up to now, or to the planned stop, and the first after it, each with what became of it."""
    if infusion.status is SessionStatus.PLANNED:
        return []
    terms, closed = infusion.order_version.terms, stands.closed_at
    phases = [
        Phase(row.anchor, row.every_min, row.for_min, row.times, row.after_min, _wanted(terms, vitals_of(row.items)))
        for row in terms.phases
    ]
    rechecks = list(_rechecks(terms, stands))
    is_asking = bool(rechecks) or any(phase.wanted for phase in phases)
    horizon = now if stop is None else max(now, stop)
    longest = max((row.every_min or row.after_min or 0 for row in terms.phases), default=0)
    found = due_times(
        phases, _anchors(infusion, stands), horizon + timedelta(minutes=longest), ends_at=closed, rechecks=rechecks
    )
    return settle(
        _with_one_beyond(found, horizon),
        [Seen(row.observed_at, taken_in(row) if is_asking else frozenset()) for row in stands.seen],
        # What fell due at the very instant of closing is settled too.
        now if closed is None else closed + timedelta(microseconds=1),
        not_done=stands.not_done,
        grace_before_min=terms.grace_min or 0,
        grace_after_min=terms.grace_min or 0,
        ends_at=closed,
    )


def _wanted(terms: Terms, vitals: Iterable[Vital]) -> frozenset[Vital]:
    """Leave out what nobody can take: sedation where the order names no scale."""
    return frozenset(vital for vital in vitals if vital is not Vital.SEDATION or terms.sedation_scale is not None)


_PRESSURES = frozenset({Vital.SBP, Vital.DBP, Vital.MAP})


def _rechecks(terms: Terms, stands: Standing) -> Iterator[Due]:
    """Yield when what was outside a limit is to be looked at again."""
    for row in stands.seen if terms.recheck_min else ():
        found = stands.outside.get(row.id, ())
        vitals = {breach.limit.vital for breach in found if breach.limit.level is not LimitLevel.START}
        if vitals:
            # A pressure is read as one.
            again = vitals - _PRESSURES | (NAMES["BP"] if vitals & _PRESSURES else set())
            recheck_at = row.observed_at + timedelta(minutes=terms.recheck_min or 0)
            yield Due(recheck_at, None, _wanted(terms, again), since=row.observed_at)


def taken_in(observation: ObservationSet) -> frozenset[Vital]:
    """Return the vitals that a set answers for: those it holds, and pain where the nurse says why she did not ask."""
    held = [vital for vital, name in _COLUMNS if getattr(observation, name) is not None]
    return frozenset([*held, Vital.PAIN] if PAIN_NOT_ASKED in (observation.note or "") else held)


def _with_one_beyond(dues: Sequence[Due], horizon: datetime) -> list[Due]:
    """Keep what falls due up to the horizon and the first after it, so that there is always a next one."""
    within = [due for due in dues if due.at <= horizon]
    return within + list(dues[len(within) : len(within) + 1])


def _anchors(infusion: InfusionSession, stands: Standing) -> list[Anchor]:
    anchors = [Anchor(AnchorKind.PRECHECK, infusion.arrived_at)]
    anchors += [Anchor(_ANCHORED[row.kind], row.happened_at) for row in stands.acts if row.kind in _ANCHORED]
    return anchors + [Anchor(AnchorKind.PRN, dose.given_at) for dose in stands.doses]
