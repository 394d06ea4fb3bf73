"""The parts of a case that stand before the session: patient, course, orders, visits booked."""

import re
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.cases.moments import instant_of
from clinic.cases.parts import CoursePart, CourseTurn, GateEntry, OrderPart, PatientPart
from clinic.cases.reading import Fields, Item, shown


def read_patient(item: Item) -> PatientPart:
    """The patient; name and MRN are required."""
    fields = item.fields()
    known = "allergies" in fields
    part = PatientPart(
        mrn=fields.need("mrn").text(),
        name=fields.need("name").text(),
        sex=fields.text("sex"),
        born=fields.day("born", "birth_date", "date_of_birth", "dob"),
        weight_kg=positive(fields, "weight_kg"),
        weight_method=fields.text("weight_method"),
        height_cm=positive(fields, "height_cm"),
        allergies=fields.texts("allergies") if known and fields.find("allergies") else None,
        problem=fields.text("problem", "diagnosis"),
        place=item.place,
    )
    fields.close()
    return part


def positive(fields: Fields, *names: str) -> Decimal | None:
    """A number above 0: a weight, a concentration, a height."""
    item = fields.find(*names)
    if item is None:
        return None
    number = item.number()
    if number <= 0:
        item.refuse("must be more than 0")
    return number


def read_course(item: Item, zone: ZoneInfo | None) -> CoursePart:
    """The course, with its holds and resumptions; one of each or a list."""
    fields = item.fields()
    endings = _turns(fields.find("stopped", "completed", "ended", "revoked", "ending"), zone)
    peg = fields.find("peg_baseline")
    part = CoursePart(
        status=fields.text("status"),
        intent=fields.text("intent"),
        sessions_planned=fields.whole("sessions_planned", "planned"),
        shape=fields.text("shape"),
        protocol=fields.text("protocol"),
        peg_baseline=scores(peg),
        nrs_baseline=fields.number("nrs_baseline"),
        holds=_turns(fields.find("hold", "holds", "held"), zone),
        resumptions=_turns(fields.find("resumed", "resumptions", "resume"), zone),
        ending=endings[-1] if endings else None,
        place=item.place,
    )
    fields.close()
    return part


def _turns(item: Item | None, zone: ZoneInfo | None) -> tuple[CourseTurn, ...]:
    return tuple(_turn(one, zone) for one in item.several()) if item else ()


def _turn(item: Item, zone: ZoneInfo | None) -> CourseTurn:
    if not item.is_mapping:
        return CourseTurn(at=instant_of(item, zone), by=None, reason=None)
    fields = item.fields()
    turn = CourseTurn(
        at=instant_of(fields.need("at", "since", "on", "from"), zone),
        by=fields.text("by"),
        reason=fields.text("reason", "text", "detail"),
    )
    fields.close()
    return turn


def scores(item: Item | None) -> tuple[Decimal, ...]:
    """The items of a questionnaire; nothing when it was not filled in, or not wholly."""
    entries = item.several() if item else []
    if item and any(one.is_null for one in entries):
        item.warn("an item is missing, so this questionnaire was left aside")
        return ()
    return tuple(one.number() for one in entries)


def read_orders(items: Sequence[Item], zone: ZoneInfo | None) -> tuple[OrderPart, ...]:
    """Order versions in file order. A later one repeats only what it changes; versions may stand inside the first."""
    entries = [one for item in items for one in item.several()]
    orders: list[OrderPart] = []
    earlier: Fields | None = None
    while entries:
        fields = Fields(entries.pop(0), defaults=earlier)
        orders.append(_order(fields, len(orders) + 1, zone))
        nested = fields.find("versions", "changes") if earlier is None else None
        entries = [*(nested.several() if nested else []), *entries]
        fields.close()
        earlier = fields
    return tuple(orders)


def _order(fields: Fields, number: int, zone: ZoneInfo | None) -> OrderPart:
    signed_at = fields.find("signed_at")
    start = fields.find("start", "start_rate", "rate")
    each = fields.find("by_session", "session_amounts", "amounts", "doses", "start_by_session")
    if start is not None and start.is_list:
        start, each = None, start
    return OrderPart(
        drug=fields.need("drug").text(),
        basis=_basis(fields.find("basis")),
        conc_mg_ml=positive(fields, "conc_mg_ml", "concentration_mg_ml"),
        rxcui_product=fields.text("rxcui_product"),
        diluent=fields.text("diluent"),
        start=start.number() if start is not None and not start.is_nothing else None,
        by_session=_by_session(each),
        step=fields.number("step"),
        step_every_min=fields.number("step_every_min"),
        max=fields.number("max", "max_rate"),
        total_mg_kg=fields.number("total_mg_kg"),
        total_mg=fields.number("total_mg"),
        duration_min=_minutes(fields, "duration"),
        max_duration_min=_minutes(fields, "max_duration", "time_cap"),
        max_total_mg=fields.number("max_total_mg"),
        max_rate_mg_kg_h=_rate(fields, "max_rate_mg_kg_h", "max_rate_mcg_kg_min", _MG_KG_H_OF_MCG_KG_MIN),
        max_rate_mg_h=_rate(fields, "max_rate_mg_h", "max_rate_mg_min", Decimal(60)),
        max_rate_ml_h=fields.number("max_rate_ml_h"),
        weight_used_kg=positive(fields, "weight_used_kg", "weight_kg"),
        weight_taken=fields.day("weight_taken", "weight_on"),
        bolus_mg=_bolus_mg(fields.find("bolus_mg", "bolus", "loading_dose_mg", "loading_dose")),
        obs_every_min=fields.number("obs_every_min"),
        prn=_prn(fields.find("prn", "rescue")),
        notify=fields.words("notify", "notify_limit", "notify_limits"),
        hold=fields.words("hold", "hold_limit", "hold_limits", "stop_limit"),
        start_limit=fields.words("start_limit", "start_limits"),
        verbal=fields.flag("verbal") or False,
        version=fields.whole("version", "no") or number,
        signed_by=fields.text("signed_by"),
        signed_at=instant_of(signed_at, zone) if signed_at else None,
        valid_from=fields.day("valid_from"),
        valid_to=fields.day("valid_to", "valid_until"),
        place=fields.item.place,
    )


# REFERENCE.md 3.2: mg/kg/h of one mcg/kg/min.
_MG_KG_H_OF_MCG_KG_MIN = Decimal("0.06")


def _rate(fields: Fields, name: str, other: str, factor: Decimal) -> Decimal | None:
    """A rate under its own name, or under that of another unit."""
    rate, in_other = fields.number(name), fields.number(other)
    return rate if rate is not None or in_other is None else in_other * factor


_BASIS = re.compile(r"(?:mcg|ug)/kg/min|mg/kg/h(?:r|our)?|mg/h(?:r|our)?|mg/kg(?!/)|mg(?!/)", re.IGNORECASE)


def _basis(item: Item | None) -> str | None:
    """How the dose is expressed (REFERENCE.md 1.3): `mg/kg total`, `mg total`, `mg/kg/h`, `mg/h` or `mcg/kg/min`."""
    if item is not None and not _BASIS.match(item.text().replace(" ", "")):
        item.refuse(f"{shown(item.text())} is none of mg/kg total, mg total, mg/kg/h, mg/h, mcg/kg/min")
    return item.text() if item else None


def _by_session(item: Item | None) -> tuple[Decimal, ...]:
    """The dose of session 1, 2, 3 …, where an order has one for each."""
    return tuple(one.number() for one in item.several()) if item and not item.is_null else ()


def _bolus_mg(item: Item | None) -> Decimal | None:
    """The ordered bolus in mg, also from `{mg: 10, over_min: 5, by: physician}`."""
    if item is None or not item.is_mapping:
        return item.number() if item else None
    fields = item.fields()
    amount = fields.need("mg", "dose_mg", "amount_mg").number()
    fields.remarks()
    return amount


def _prn(item: Item | None) -> tuple[str, ...]:
    """Lines as `facts.prn_line` reads them, also from `{drug: midazolam, dose_mg: 1, route: IV, max_doses: 2}`."""
    lines: list[str] = []
    for one in item.several() if item else []:
        if not one.is_mapping:
            lines.append(one.text())
            continue
        fields = one.fields()
        mg, dose = fields.text("dose_mg", "mg"), fields.text("dose")
        medicine = [fields.need("drug", "name").text(), f"{mg} mg" if mg else dose, fields.text("route")]
        most, gap = fields.text("max_doses", "max_count", "max"), fields.text("min_gap_min", "gap_min", "every_min")
        line = [
            " ".join(word for word in medicine if word),
            f"max {most} doses" if most else "",
            f"every {gap} min" if gap else "",
        ]
        lines.append(", ".join(words for words in [*line, *fields.remarks()] if words))
    return tuple(lines)


def _minutes(fields: Fields, *bases: str) -> Decimal | None:
    """A length in minutes, or in hours under a key that says so."""
    minutes = fields.number(*(f"{base}_min" for base in bases))
    hours = fields.number(*(f"{base}_h" for base in bases))
    return minutes if minutes is not None or hours is None else hours * 60


def read_gates(item: Item | None, zone: ZoneInfo | None) -> tuple[GateEntry, ...]:
    """The visits booked, each with a date or an instant; further keys join the detail."""
    return tuple(_gate(one, zone) for one in item.items()) if item else ()


def _gate(item: Item, zone: ZoneInfo | None) -> GateEntry:
    fields = item.fields()
    written = fields.need("date", "at", "start", "on", "day")
    at = instant_of(written, zone) if ":" in written.scalar() else None
    appointment = fields.text("appointment", "status", "state", "outcome")
    reason = fields.text("reason")
    said = [fields.words("detail", "text", "note") or "", *fields.remarks()]
    return GateEntry(
        on=at.astimezone(zone).date() if at and zone else written.day(),
        at=at,
        appointment=appointment,
        reason=reason,
        detail="; ".join(words for words in said if words),
        place=item.place,
    )
