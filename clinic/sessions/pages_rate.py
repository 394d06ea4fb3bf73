"""The rate sheet: the order's steps as cells, each with what it comes to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.core.errors import RuleBroken
from clinic.core.times import clock_label
from clinic.core.units import EXACT, Unit, format_number, format_quantity, round_half_up
from clinic.orders.rules import dose_rate_mg_h, round_to_pump_step
from clinic.sessions import ordered_rates
from clinic.sessions.delivery_rules import delivered_ml
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_words import shown_mg, shown_rate
from clinic.sessions.progress import Pump, current, planned_stop, projected_mg, pump, weight_kg
from clinic.sessions.rules import AdministrationKind


@dataclass(frozen=True, slots=True)
class RateCell:
    """One rate of the order. `value` is the pump's mL/h, exact; `total` what the plan would come to at it, `stop` when.

    `per_kg` is "" without a weight.
    """

    value: str
    mg_h: str
    dose: str
    small: str
    pump: str
    per_kg: str
    total: str
    stop: str
    is_now: bool = False
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class RateWords:
    """One rate in every unit that a slip of ten would show in; "" where one cannot be said."""

    mg_h: str = ""
    ml_h: str = ""
    mg_kg_h: str = ""


def rate_words(rate_ml_h: Decimal, *, concentration_mg_ml: Decimal | None, weight_kg: Decimal | None) -> RateWords:
    """Return a pump's rate in words. The browser says the same while it is typed (static/js/rates.js)."""
    ml_h = shown_rate(rate_ml_h, Unit.ML_PER_H)
    if concentration_mg_ml is None:
        return RateWords(ml_h=ml_h)
    dose = dose_rate_mg_h(rate_ml_h, concentration_mg_ml=concentration_mg_ml)
    per_kg = shown_rate(EXACT.divide(dose, weight_kg), Unit.MG_PER_KG_H) if weight_kg else ""
    return RateWords(shown_rate(dose, Unit.MG_PER_H), ml_h, per_kg)


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What the rate sheet shows above its fields."""

    now_mg_h: str
    now_ml_h: str
    now_per_kg: str
    since: str
    cells: tuple[RateCell, ...]
    concentration: str
    said: str
    given: str
    flowed: str
    maximum: str
    # What a typed rate is worked out with, exact: mg per mL and kg, "" where not known.
    bag: str
    weight: str
    # (mg/h, mL/h, mg/kg/h) of a rate with its second check.
    checked: tuple[str, ...] = ()


def rate_sheet(
    infusion: InfusionSession, *, now: datetime, zone: ZoneInfo, checked_ml_h: Decimal | None = None
) -> RateSheet:
    """Return the steps that the order allows from here; one that is not allowed yet shows from when.

    `checked_ml_h` is a rate that a second person has computed as well.
    """
    running, terms = pump(infusion, now), infusion.order_version.terms
    bag = running.concentration_mg_ml
    since, here = changed_at(infusion), words_of(infusion, running.state.rate_ml_h, bag)
    signer = infusion.order_version.signature.signer_name if infusion.order_version.signature else "a physician"
    cells = tuple(_cells(infusion, running, now=now, zone=zone)) if bag is not None else ()
    return RateSheet(
        now_mg_h=here.mg_h or here.ml_h,
        now_ml_h=here.ml_h,
        now_per_kg=here.mg_kg_h,
        since=clock_label(since, zone) if since else "",
        cells=cells,
        concentration="" if bag is None else format_quantity(bag, Unit.MG_PER_ML, spoken=True),
        said=f"The steps and the highest rate come from the order of {signer}." if cells else "The order has no steps.",
        given=shown_mg(running.delivered_mg),
        flowed=shown_rate(delivered_ml(running.segments), Unit.ML),
        maximum="" if terms.maximum_total_mg is None else shown_mg(terms.maximum_total_mg, is_final=True),
        bag=_exact(bag),
        weight=_exact(weight_kg(infusion)),
        checked=() if checked_ml_h is None else in_all_units(words_of(infusion, checked_ml_h, bag)),
    )


def changed_at(infusion: InfusionSession) -> datetime | None:
    """Return when the rate was last set."""
    kinds = {AdministrationKind.START, AdministrationKind.RATE_CHANGE, AdministrationKind.RESUME}
    return max((row.happened_at for row in current(infusion.administrations) if row.kind in kinds), default=None)


def words_of(infusion: InfusionSession, rate_ml_h: Decimal, bag: Decimal | None) -> RateWords:
    """Return a rate of this session's pump in words."""
    return rate_words(rate_ml_h, concentration_mg_ml=bag, weight_kg=weight_kg(infusion))


def in_all_units(said: RateWords) -> tuple[str, ...]:
    """Return a rate in each unit that it can be said in."""
    return tuple(filter(None, (said.mg_h, said.ml_h, said.mg_kg_h)))


def _exact(value: Decimal | None) -> str:
    return "" if value is None else format(value.normalize(), "f")


def set_rates(infusion: InfusionSession, bag: Decimal) -> list[Decimal]:
    """Return the order's rates as the pump is set, with one step below its start for lowering."""
    terms = infusion.order_version.terms
    try:
        steps = ordered_rates.ordered_steps_ml_h(infusion, concentration=bag)
        step = ordered_rates.step_ml_h(infusion, concentration=bag)
    except RuleBroken:  # no weight: there is nothing to work steps out from
        return []
    lower = [steps[0] - step] if steps and step and steps[0] > step else []
    rates = [*lower, *steps]
    if terms.pump_step_ml_h is None:
        return rates
    return [round_to_pump_step(rate, step_ml_h=terms.pump_step_ml_h).set_ml_h for rate in rates]


def _cells(infusion: InfusionSession, running: Pump, *, now: datetime, zone: ZoneInfo) -> list[RateCell]:
    bag = running.concentration_mg_ml or Decimal(1)
    rates, here = set_rates(infusion, bag), running.state.set_ml_h
    following = next((rate for rate in rates if rate > here), None)
    wait_until = _allowed_at(infusion)
    cells = []
    for rate in rates:
        difference = _number(dose_rate_mg_h(abs(rate - here), concentration_mg_ml=bag))
        small, is_disabled = f"{difference} lower", False
        if rate == here:
            small = "now"
        elif rate > here:
            is_next, is_early = rate == following, wait_until is not None and wait_until > now
            is_disabled = not is_next or is_early
            small = f"{difference} higher"
            if is_next and is_early and wait_until is not None:
                small = f"from {clock_label(wait_until, zone)}"
            elif not is_next:
                small = "highest" if rate == rates[-1] else "later"
        total, said = projected_mg(infusion, running, now, rate_ml_h=rate), words_of(infusion, rate, bag)
        cells.append(
            RateCell(
                value=format(rate.normalize(), "f"),
                mg_h=_number(dose_rate_mg_h(rate, concentration_mg_ml=bag)),
                dose=said.mg_h,
                small=small,
                pump=said.ml_h,
                per_kg=said.mg_kg_h,
                total="" if total is None else shown_mg(total),
                stop=_stop_words(infusion, running, now, zone, rate),
                is_now=rate == here,
                is_disabled=is_disabled or rate == here,
            )
        )
    return cells


def _stop_words(infusion: InfusionSession, running: Pump, now: datetime, zone: ZoneInfo, rate: Decimal) -> str:
    """Return when the plan would end at a rate, and whether that is when it ends at the present one."""
    stop, present = planned_stop(infusion, running, now, rate_ml_h=rate), planned_stop(infusion, running, now)
    if stop is None:
        return ""
    clock = clock_label(stop, zone)
    return f"{clock}, unchanged" if present is not None and clock == clock_label(present, zone) else clock


def _number(rate: Decimal) -> str:
    return format_number(round_half_up(rate, 2))


def _allowed_at(infusion: InfusionSession) -> datetime | None:
    """Return when the next step up is allowed by the order; None where it sets no time."""
    every, since = infusion.order_version.terms.step_every_min, changed_at(infusion)
    return None if every is None or since is None else since + timedelta(minutes=every)
