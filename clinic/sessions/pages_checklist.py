"""The page "Before infusion": the order's checks in their sections, what is open, and the order read back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from clinic.core.times import clock_label, date_label
from clinic.core.units import EXACT, NO_BREAK_SPACE, Unit, format_number, format_quantity, round_half_up
from clinic.druglog.models_settling import Preparation
from clinic.druglog.preparation_queries import preparations_of
from clinic.druglog.queries import AccountLine, account_lines
from clinic.orders.rules import LimitLevel, limit_text
from clinic.patients import queries as patients
from clinic.protocols.models import CheckItem
from clinic.protocols.rules import CheckKind, GateEffect
from clinic.protocols.wording import ROLE_WORDS
from clinic.sessions.event_rules import CheckPurpose
from clinic.sessions.models import DoubleCheck, GateAnswer, InfusionSession, RateProposal
from clinic.sessions.operations_checks import passed_check
from clinic.sessions.ordered_rates import ordered_amount
from clinic.sessions.pages_session import Sentence, emphasised
from clinic.sessions.pages_words import drug_name, inside_sentence, vitals_sentence
from clinic.sessions.progress import current
from clinic.sessions.readiness import answers, clinic_of, day_of, findings, gate_key, latest_vitals, start_reasons
from clinic.sessions.rules import GateResult

# An international avoirdupois pound, for the read-back alone: a weight is only ever typed in kg.
_KG_PER_POUND: Final = Decimal("0.45359237")
_SETTLED: Final = {GateResult.PASS, GateResult.NOT_APPLICABLE, GateResult.OVERRIDDEN}
_SHORT: Final = {
    CheckKind.IDENTITY.value: "who the patient is",
    CheckKind.ALLERGIES.value: "allergies",
    CheckKind.CONSENT.value: "consent",
    CheckKind.ORDER.value: "order",
    CheckKind.WEIGHT.value: "weight",
    CheckKind.FASTING.value: "fasting",
    CheckKind.ESCORT.value: "escort",
    CheckKind.CHANGES.value: "changes",
    CheckKind.SUBSTANCES.value: "substances",
    CheckKind.PREGNANCY.value: "pregnancy",
    CheckKind.IV_ACCESS.value: "line",
    CheckKind.READINESS.value: "emergency drugs",
    CheckKind.VITALS.value: "first vitals",
    CheckKind.SUPERVISING.value: "clinician on site",
}
_WORDS: Final = {GateResult.PASS: "yes", GateResult.FAIL: "no", GateResult.NOT_APPLICABLE: "na"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check as the page shows it. `answer` is what was answered, None while it is open."""

    id: uuid.UUID
    kind: str
    title: str
    detail: str
    answer: str | None
    is_done: bool
    is_failed: bool
    may_be_overridden: bool
    hint: str
    contact_name: str = ""
    contact_phone: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Checks that stand together."""

    title: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class RateState:
    """How far the rate for the start has come: read from the pump, checked by a second person, or blocked."""

    proposal: RateProposal | None
    check: DoubleCheck | None
    failed: DoubleCheck | None
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """Everything that the page shows."""

    sections: tuple[Section, ...]
    done: int
    total: int
    reasons: tuple[str, ...]
    rate: RateState
    order: tuple[tuple[str, Sentence], ...]
    account: tuple[AccountLine, ...]
    made: tuple[Preparation, ...]
    open: tuple[str, ...]


def pounds(kg: Decimal) -> str:
    """Return a weight in pounds, to be read back beside the kilograms: a slip between the two is a factor of 2.2."""
    return f"{format_number(round_half_up(EXACT.divide(kg, _KG_PER_POUND), 1))}{chr(160)}lb"


def checklist(infusion: InfusionSession, *, now: datetime, zone: ZoneInfo) -> Checklist:
    """Return the page of a session; what the software compares is compared at `now`."""
    items = [item for item in infusion.order_version.terms.checks if item.kind is not CheckKind.DOUBLE_CHECK]
    given = answers(infusion)
    rows = [_check(infusion, item, given.get(gate_key(item)), now=now, zone=zone) for item in items]
    by_section = zip(items, rows, strict=True)
    sections = [
        Section(title, tuple(row for _, row in group))
        for title, group in groupby(by_section, key=lambda pair: pair[0].section)
    ]
    check = passed_check(infusion)
    return Checklist(
        sections=tuple(sections),
        done=sum(row.is_done for row in rows) + (check is not None),
        total=len(rows) + 1,
        reasons=tuple(start_reasons(infusion, check, now)),
        rate=_rate_state(infusion, check),
        order=tuple((label, emphasised(text)) for label, text in _order_read_back(infusion)),
        account=tuple(account_lines(infusion.drug_account)) if infusion.drug_account else (),
        made=tuple(_made(infusion)),
        open=tuple(_open_words(rows, _rate_state(infusion, check))),
    )


def _made(infusion: InfusionSession) -> list[Preparation]:
    every = preparations_of(infusion.drug_account_id) if infusion.drug_account_id else []
    return [one for one in every if not one.is_struck]


def _check(
    infusion: InfusionSession, item: CheckItem, answer: GateAnswer | None, *, now: datetime, zone: ZoneInfo
) -> Check:
    result = answer.result if answer else None
    is_done = result in _SETTLED or (result is GateResult.FAIL and item.effect is GateEffect.NOTIFY)
    return Check(
        id=item.id,
        kind=item.kind.value,
        title=item.text,
        detail=_detail(infusion, item, answer, now=now, zone=zone),
        answer=_WORDS.get(result) if result else None,
        is_done=is_done,
        is_failed=result is GateResult.FAIL,
        may_be_overridden=result is GateResult.FAIL
        and item.kind not in {CheckKind.IDENTITY, CheckKind.ORDER, CheckKind.DOUBLE_CHECK},
        hint=item.hint or "",
        contact_name=answer.contact_name or "" if answer else "",
        contact_phone=answer.contact_phone or "" if answer else "",
    )


def _same_words(one: str | None, other: str) -> bool:
    """Return whether two texts read the same; one may be held together by no-break spaces."""
    return (one or "").replace(NO_BREAK_SPACE, " ") == other.replace(NO_BREAK_SPACE, " ")


def _open_words(rows: Sequence[Check], rate: RateState) -> list[str]:
    """Return in a word each what is still open; the sentences stand at the checks themselves."""
    words = [_SHORT.get(row.kind) or _mid_sentence(row.title) for row in rows if not row.is_done]
    if rate.check is None:
        words += ["second check"] if rate.is_waiting else ["second check", "start rate read from pump"]
    return words


def _mid_sentence(title: str) -> str:
    """Return a check's own words as they stand in a list: "heart monitor on", but "ECG on"."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def _detail(
    infusion: InfusionSession, item: CheckItem, answer: GateAnswer | None, *, now: datetime, zone: ZoneInfo
) -> str:
    """Return the smaller line under a check: what was answered, what the record says, what the software finds."""
    known = _known(infusion, item.kind, now=now, zone=zone)
    parts = [known]
    if answer is not None:
        words = {GateResult.OVERRIDDEN: "overridden", GateResult.NOT_APPLICABLE: "does not apply"}.get(
            answer.result, ""
        )
        who = f"{answer.recorded_by.initials} {clock_label(answer.recorded_at, zone)}"
        contact = " ".join(part for part in (answer.contact_name, answer.contact_phone) if part)
        parts += [words, answer.detail or "", contact, who]
    else:
        parts += [finding.message for finding in findings(infusion, item.kind, now)]
        parts.append("" if _same_words(item.hint, known) else item.hint or "")
        parts.append(f"{ROLE_WORDS[item.role]} answers" if item.role else "")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _known(infusion: InfusionSession, kind: CheckKind, *, now: datetime, zone: ZoneInfo) -> str:
    """Return what the record says about one kind of check."""
    terms = infusion.order_version.terms
    match kind:
        case CheckKind.CONSENT:
            day = day_of(clinic_of(infusion), now)
            consent = patients.consent_covering(infusion.patient_id, drug_name(infusion), day)
            return f"signed {date_label(consent.signed_on)}, on file" if consent else ""
        case CheckKind.ORDER:
            return _expired(infusion, day_of(clinic_of(infusion), now))
        case CheckKind.FASTING:
            hours = [("food", terms.fasting_solid_h), ("clear fluids", terms.fasting_clear_h)]
            return ", ".join(f"{name} {format_quantity(value, Unit.H)}" for name, value in hours if value is not None)
        case CheckKind.WEIGHT:
            return (
                f"{format_quantity(infusion.weight.kg, Unit.KG)} = {pounds(infusion.weight.kg)}"
                if infusion.weight
                else ""
            )
        case CheckKind.IV_ACCESS:
            return _cannula(infusion, zone)
        case CheckKind.VITALS:
            seen = latest_vitals(infusion, now)
            return f"{vitals_sentence(seen)} \N{MIDDLE DOT} {clock_label(seen.observed_at, zone)}" if seen else ""
        case CheckKind.SUPERVISING:
            return infusion.supervising.name if infusion.supervising else ""
    return ""


def _cannula(infusion: InfusionSession, zone: ZoneInfo) -> str:
    """Return where the newest cannula lies, and since when."""
    placed = max(current(infusion.iv_records), key=lambda row: row.happened_at, default=None)
    if placed is None:
        return ""
    gauge = f"{placed.gauge} G" if placed.gauge else ""
    return " ".join(part for part in (placed.site, gauge, clock_label(placed.happened_at, zone)) if part)


def _expired(infusion: InfusionSession, day: date) -> str:
    """Return which screening answers for the drug are to be asked again; none of them blocks by itself."""
    drug = drug_name(infusion).lower()
    open_again = [
        row.question.text
        for row in patients.current_answers(infusion.patient_id)
        if row.question.drug_name.lower() == drug and patients.is_expired(row, day)
    ]
    return f"Screening to ask again: {' '.join(open_again)}" if open_again else ""


def _rate_state(infusion: InfusionSession, check: DoubleCheck | None) -> RateState:
    proposals = [row for row in infusion.rate_proposals if row.purpose is CheckPurpose.START]
    latest = max(proposals, key=lambda row: (row.recorded_at, row.id), default=None)
    failed = next((one for one in latest.double_checks if not one.is_match), None) if latest else None
    is_waiting = latest is not None and not latest.is_blocked and not latest.double_checks
    return RateState(latest, check, failed, is_waiting)


def _order_read_back(infusion: InfusionSession) -> list[tuple[str, str]]:
    """Return the order line by line, as two people read it to each other.

    The pump rate stands on no line: it is read from the pump by one and computed by the other.
    """
    terms = infusion.order_version.terms
    unit, rate = terms.basis.unit, terms.basis.rate_unit
    bag = (
        f" {format_quantity(terms.concentration_mg_ml, Unit.MG_PER_ML, spoken=True)}"
        if terms.concentration_mg_ml
        else ""
    )
    lines = [("Drug", f"{terms.drug.name}{bag}")]
    amount = ordered_amount(infusion)
    if amount is not None:
        name = "Give" if terms.basis.is_total else "Start"
        name = f"{name}, session {infusion.number}" if terms.session_amounts else name
        lines.append((name, format_quantity(amount, unit, spoken=True)))
    if terms.step_amount and terms.step_every_min:
        every = format_quantity(terms.step_every_min, Unit.MIN)
        lines.append(("Raise", f"{format_quantity(terms.step_amount, rate, spoken=True)} every {every}"))
    if terms.highest_amount is not None:
        lines.append(("Highest", format_quantity(terms.highest_amount, rate, spoken=True)))
    if terms.duration_min is not None:
        lines.append(("For", format_quantity(terms.duration_min, Unit.MIN)))
    if terms.maximum_total_mg is not None:
        lines.append(("Session", f"at most {format_quantity(terms.maximum_total_mg, Unit.MG)}"))
    for level, name in (
        (LimitLevel.START, "Start if"),
        (LimitLevel.HOLD, "Hold unless"),
        (LimitLevel.NOTIFY, "Tell unless"),
    ):
        said = _limits_said(infusion, level)
        if said:
            lines.append((name, said))
    return lines


def _limits_said(infusion: InfusionSession, level: LimitLevel) -> str:
    limits = [limit for limit in infusion.order_version.terms.limits if limit.level is level]
    vitals = list(dict.fromkeys(limit.vital for limit in limits))
    return ", ".join(
        f"{inside_sentence(vital)} {limit_text([limit for limit in limits if limit.vital is vital])}"
        for vital in vitals
    )
