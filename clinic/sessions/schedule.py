"""The signed observation schedule of a session: its loaded rows go in, each due time and what became of it come out."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

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
    phases = list(_phases(infusion))
    rechecks = list(_rechecks(infusion, stands))
    is_asking = bool(rechecks) or any(phase.wanted for phase in phases)
    horizon = now if stop is None else max(now, stop)
    longest = max((phase.every_min or phase.after_min or 0 for phase in phases), default=0)
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


def _phases(infusion: InfusionSession) -> Iterator[Phase]:
    """Yield what each version of the order says about the time in which the session ran under it.

    So what was due stays what it was when a version with other times comes into force.
    """
    moves = sorted(infusion.adoptions, key=lambda move: move.recorded_at)
    version_ids = [*(move.was_version_id for move in moves), infusion.order_version_id]
    changes = [None, *(move.recorded_at for move in moves), None]
    for version_id, (since, until) in zip(version_ids, pairwise(changes), strict=True):
        terms = _terms(infusion, version_id)
        for row in terms.phases:
            wanted = _wanted(terms, vitals_of(row.items))
            yield Phase(
                *(row.anchor, row.every_min, row.for_min, row.times, row.after_min, wanted),
                *(since, until, terms.grace_min or 0),
            )


def _terms(infusion: InfusionSession, version_id: uuid.UUID) -> Terms:
    if version_id == infusion.order_version_id:
        return infusion.order_version.terms
    return next(version.terms for version in infusion.order_version.order.versions if version.id == version_id)


def _wanted(terms: Terms, vitals: Iterable[Vital]) -> frozenset[Vital]:
    """Leave out what nobody can take: sedation where the order names no scale."""
    return frozenset(vital for vital in vitals if vital is not Vital.SEDATION or terms.sedation_scale is not None)


_PRESSURES = frozenset({Vital.SBP, Vital.DBP, Vital.MAP})


def _rechecks(infusion: InfusionSession, stands: Standing) -> Iterator[Due]:
    """Yield when what was outside a limit is to be looked at again, by the order that it was recorded under."""
    for row in stands.seen:
        found = stands.outside.get(row.id, ())
        if not found or not (terms := _terms(infusion, row.order_version_id)).recheck_min:
            continue
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
