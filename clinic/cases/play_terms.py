"""An order of a case file as the terms that a physician would type into the order form."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from clinic.cases.facts import prn_line
from clinic.cases.parts import Case, OrderPart, SessionCase
from clinic.core.units import EXACT
from clinic.protocols.dose_rules import DoseBasis, rate_in
from clinic.protocols.limit_rules import LimitLevel
from clinic.protocols.rules import Anchor, CheckKind, DischargeScale, GateEffect, SedationScale
from clinic.protocols.terms import CheckDraft, LimitDraft, PhaseDraft, PrnDraft, TermsDraft
from clinic.protocols.text_rules import parse_limits

# The checks of REFERENCE 1.4, as a played clinic asks them; a session answers those that its case says nothing of with
# "not applicable".
CHECKS = tuple(
    CheckDraft(section=section, kind=kind, text=text, effect=effect)
    for section, kind, text, effect in (
        ("Patient", CheckKind.IDENTITY, "The patient says name and year of birth.", GateEffect.HARD),
        ("Patient", CheckKind.ALLERGIES, "Allergies were asked again.", GateEffect.HARD),
        ("Patient", CheckKind.CONSENT, "Consent is signed and covers today.", GateEffect.HARD),
        ("Patient", CheckKind.ORDER, "The order is signed and in force.", GateEffect.HARD),
        ("Patient", CheckKind.WEIGHT, "Weighed today, close to the order's weight.", GateEffect.HARD),
        ("Today", CheckKind.FASTING, "Fasted as asked.", GateEffect.SOFT),
        ("Today", CheckKind.ESCORT, "An escort takes the patient home.", GateEffect.HARD),
        ("Today", CheckKind.PREGNANCY, "Pregnancy is ruled out.", GateEffect.SOFT),
        ("Today", CheckKind.VITALS, "Vitals are inside the start limits.", GateEffect.HARD),
        ("Room", CheckKind.IV_ACCESS, "The cannula is in place and runs.", GateEffect.HARD),
        ("Room", CheckKind.SUPERVISING, "The supervising clinician is on site.", GateEffect.HARD),
        ("Room", CheckKind.DOUBLE_CHECK, "A second person computed the rate.", GateEffect.HARD),
    )
)

# REFERENCE 2.3: both scores ask for 9 of 10.
_CUTOFF = 9
_PLACES = Decimal("0.0001")
_PUMP_STEP = Decimal("0.1")

_SCALES = {
    "rass": SedationScale.RASS,
    "moaas": SedationScale.MOAA_S,
    "moaa_s": SedationScale.MOAA_S,
    "ramsay": SedationScale.RAMSAY,
    "poss": SedationScale.POSS,
    "avpu": SedationScale.AVPU,
}
SEDATION_COLUMNS = frozenset({*_SCALES, "sedation"})


@dataclass(frozen=True, slots=True)
class TermsOf:
    """Terms as read, and what had to be supplied for them in words."""

    draft: TermsDraft
    supplied: tuple[str, ...]


def terms_of(case: Case, order: OrderPart, *, drug_id: UUID, controlled: Iterable[str]) -> TermsOf:
    """The terms of one order version. What the file leaves open follows from the sessions that ran under it."""
    supplied: list[str] = []
    basis = basis_of(order)
    duration = _duration(case, order, supplied)
    maximum, unit = _maximum(order)
    start = None if order.by_session else _start(case, order, basis, duration, supplied)
    notify, rest = _limits(order.notify, LimitLevel.NOTIFY)
    hold, rest_of_hold = _limits(order.hold, LimitLevel.HOLD)
    allowed, rest_of_start = _limits(order.start_limit, LimitLevel.START)
    every, scale = _whole(order.obs_every_min), _discharge_scale(case.sessions)
    is_weighed = any(
        part is not None
        for part in (
            case.patient.weight_kg,
            order.weight_used_kg,
            *(visit.session.weight_used_kg or visit.session.weight_kg for visit in case.sessions),
        )
    )
    draft = TermsDraft(
        drug_id=drug_id,
        basis=basis,
        diluent=order.diluent,
        concentration_mg_ml=order.conc_mg_ml,
        start_amount=start,
        session_amounts=order.by_session or None,
        step_amount=(order.step or None) if not basis.is_total else None,
        step_every_min=_whole(order.step_every_min),
        highest_amount=order.max if not basis.is_total else None,
        maximum_rate=maximum,
        maximum_rate_unit=unit,
        maximum_total_mg=order.max_total_mg,
        duration_min=duration,
        maximum_duration_min=_whole(order.max_duration_min),
        bolus_mg=order.bolus_mg,
        pump_step_ml_h=_pump_step(case.sessions),
        sedation_scale=sedation_scale(case.sessions),
        notify_text="; ".join(text for text in (rest, rest_of_hold, rest_of_start) if text) or None,
        is_escort_required=all(escort_of(session) for session in case.sessions) or None,
        discharge_scale=scale,
        discharge_cutoff=_CUTOFF if scale else None,
        sessions_planned=_planned(case),
        limits=(*allowed, *notify, *hold),
        prn_items=tuple(_prn_items(order.prn, frozenset(controlled), supplied)),
        phases=(PhaseDraft(anchor=Anchor.START, every_min=every),) if every else (),
        checks=tuple(check for check in CHECKS if is_weighed or check.kind is not CheckKind.WEIGHT),
    )
    return TermsOf(draft, tuple(supplied))


_NOBODY = frozenset({"none", "no", "nobody", "alone", "n/a", "not needed"})


def escort_of(session: SessionCase) -> str | None:
    """Who takes the patient home, by the discharge or the session itself; None where the file names nobody."""
    said = (session.discharge.escort if session.discharge else None) or session.session.escort
    return None if (said or "").strip().lower() in {"", *_NOBODY} else said


def basis_of(order: OrderPart) -> DoseBasis:
    """How the dose is expressed, from the file's word or from the numbers that stand there."""
    word = (order.basis or "").lower().replace("ug", "mcg").replace(" ", "")
    for basis in (DoseBasis.MCG_PER_KG_MIN, DoseBasis.MG_PER_KG_H, DoseBasis.MG_PER_H):
        if word.startswith(basis.value):
            return basis
    if word.startswith("mg/kg") or (not word and order.total_mg_kg is not None):
        return DoseBasis.MG_PER_KG
    if word.startswith("mg") or (not word and order.total_mg is not None):
        return DoseBasis.MG
    return DoseBasis.MG_PER_KG_H if order.max_rate_mg_kg_h is not None else DoseBasis.MG_PER_H


def _start(case: Case, order: OrderPart, basis: DoseBasis, duration: int | None, supplied: list[str]) -> Decimal | None:
    stated = {
        DoseBasis.MG_PER_KG: order.total_mg_kg or order.start or _per_kg(order),
        DoseBasis.MG: order.total_mg or order.start,
    }.get(basis, order.start)
    if stated is not None:
        return stated
    rows = [session.infusion[0] for session in case.sessions if session.infusion]
    if not rows or order.conc_mg_ml is None:
        return None
    mg_h = EXACT.multiply(rows[0].rate_ml_h, order.conc_mg_ml)
    if basis.is_total:
        given = EXACT.divide(EXACT.multiply(mg_h, Decimal(duration or 0)), Decimal(60))
        amount = EXACT.divide(given, order.weight_used_kg) if basis.uses_weight and order.weight_used_kg else given
    elif basis.uses_weight and order.weight_used_kg is None:
        return None
    else:
        amount = rate_in(basis.rate_unit, mg_h, weight_kg=order.weight_used_kg)
    supplied.append(f"The dose of order version {order.version}, from the first rate.")
    return amount.quantize(_PLACES)


def _per_kg(order: OrderPart) -> Decimal | None:
    if order.total_mg is None or not order.weight_used_kg:
        return None
    return EXACT.divide(order.total_mg, order.weight_used_kg).quantize(_PLACES)


def _maximum(order: OrderPart) -> tuple[Decimal | None, DoseBasis | None]:
    if order.max_rate_mg_kg_h is not None:
        return order.max_rate_mg_kg_h, DoseBasis.MG_PER_KG_H
    if order.max_rate_mg_h is not None:
        return order.max_rate_mg_h, DoseBasis.MG_PER_H
    if order.max_rate_ml_h is not None and order.conc_mg_ml is not None:
        return EXACT.multiply(order.max_rate_ml_h, order.conc_mg_ml).quantize(_PLACES), DoseBasis.MG_PER_H
    return None, None


def _duration(case: Case, order: OrderPart, supplied: list[str]) -> int | None:
    if order.duration_min is not None or order.max_duration_min is not None:
        return _whole(order.duration_min if order.duration_min is not None else order.max_duration_min)
    minutes = [sum(row.end.minute - row.start.minute for row in session.infusion) for session in case.sessions]
    longest = _whole(Decimal(max(minutes, default=0))) or None
    if longest is not None:
        supplied.append(f"The length of order version {order.version}: {longest} min.")
    return longest


def _whole(minutes: Decimal | None) -> int | None:
    return None if minutes is None else int(minutes.to_integral_value(ROUND_CEILING))


def _limits(text: str | None, level: LimitLevel) -> tuple[list[LimitDraft], str]:
    return parse_limits(text, level=level) if text else ([], "")


def _prn_items(lines: Iterable[str], controlled: frozenset[str], supplied: list[str]) -> Iterable[PrnDraft]:
    for text in lines:
        line = prn_line(text)
        if line.dose is None or line.unit is None:
            supplied.append(f"“{text}” names no dose, so it is no line of the order.")
            continue
        yield PrnDraft(
            drug_name=line.drug,
            dose=line.dose,
            unit=line.unit,
            route=line.route or "IV",
            maximum_count=line.max_count,
            minimum_gap_min=_whole(line.min_gap_min),
            is_controlled=line.drug.lower() in controlled,
        )


def _pump_step(sessions: Iterable[SessionCase]) -> Decimal:
    """A tenth of a mL/h, or finer where the rates of the file are."""
    rates = [row.rate_ml_h.normalize() for session in sessions for row in session.infusion]
    finest = max((-int(rate.as_tuple().exponent) for rate in rates), default=1)
    return min(_PUMP_STEP, Decimal(1).scaleb(-finest))


def sedation_scale(sessions: Iterable[SessionCase]) -> SedationScale | None:
    """The scale that the observation rows use."""
    columns = {name for session in sessions for row in session.obs for name in row.values}
    if "sedation" in columns:
        return SedationScale.RASS
    return next((scale for name, scale in _SCALES.items() if name in columns), None)


def _discharge_scale(sessions: Iterable[SessionCase]) -> DischargeScale | None:
    """The score that the case uses; the order of a case that scores nothing asks for none."""
    scored = [session.discharge for session in sessions if session.discharge]
    if any(part.mpadss for part in scored):
        return DischargeScale.MPADSS
    return DischargeScale.ALDRETE if any(part.aldrete for part in scored) else None


def _planned(case: Case) -> int | None:
    numbers = [session.session.no or place for place, session in enumerate(case.sessions, start=1)]
    planned = case.course.sessions_planned if case.course else None
    return max([planned or 0, *numbers, len(numbers)], default=0) or None
