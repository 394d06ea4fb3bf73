"""A session's drug account: what was given goes into the register of controlled drugs by itself."""

import uuid
from datetime import datetime
from decimal import Decimal

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.units import Unit, format_quantity, round_half_up
from clinic.druglog import operations as druglog
from clinic.druglog.models import DrugAccount
from clinic.druglog.models_settling import Preparation
from clinic.druglog.queries import discrepancies_of, given_mg
from clinic.druglog.rules import is_balanced
from clinic.druglog.settling_rules import concentration_mg_ml
from clinic.sessions import ordered_rates
from clinic.sessions.models import InfusionSession
from clinic.sessions.operations_shared import locked
from clinic.sessions.progress import current, last_stop, pump
from clinic.sessions.readiness import clinic_of
from clinic.sessions.rules import AdministrationKind

# The register keeps four decimals of a mg; the flowsheet is exact.
_PLACES = 4
_LESS_WAS_GIVEN = "The flowsheet was corrected: less was given than the register says."
LEFT_OVER = "The session was closed with {} unaccounted for."
_MG = {"mg": Decimal(1), "g": Decimal(1000), "mcg": Decimal("0.001"), "ug": Decimal("0.001")}


def open_drug_account(infusion: InfusionSession, *, by: Staff, at: datetime) -> DrugAccount:
    """Return the session's drug account, opened when there is none yet."""
    locked(infusion)
    if infusion.drug_account is None:
        infusion.drug_account = druglog.open_account(infusion.patient, by=by, at=at)
        db.session.flush()  # register lines name the account
    return infusion.drug_account


def register_given(infusion: InfusionSession, *, by: Staff, at: datetime) -> None:
    """Write what was given of each controlled drug into the register, so far as it is not written yet.

    A correction that makes it less cannot take a line back: it opens a discrepancy, which an adjusting line with a
    witness settles.
    """
    for drug, amount in controlled_given_mg(infusion, at).items():
        account = open_drug_account(infusion, by=by, at=at)
        missing = round_half_up(amount, _PLACES) - given_mg(account, drug)
        when = last_stop(infusion) or at
        if missing > 0:
            druglog.record_given(account, drug, missing, happened_at=when, by=by, at=at)
        elif missing < (known := _known_to_be_less(account, drug)):
            druglog.open_discrepancy(account, drug, missing - known, _LESS_WAS_GIVEN, by=by, at=at)


def _known_to_be_less(account: DrugAccount, drug: str) -> Decimal:
    """Return the mg, zero or below, that earlier corrections opened discrepancies about and nobody has adjusted yet."""
    return min(_opened(account, drug, _LESS_WAS_GIVEN) - _adjusted(account, drug), Decimal(0))


def known_to_be_left(account: DrugAccount, drug: str) -> Decimal:
    """Return the mg that a close which was undone opened discrepancies about and nobody has adjusted yet."""
    return max(_opened(account, drug, LEFT_OVER.partition("{}")[0]) - _adjusted(account, drug), Decimal(0))


def _opened(account: DrugAccount, drug: str, words: str) -> Decimal:
    rows = (row for row in discrepancies_of(account) if row.drug_name == drug and row.text.startswith(words))
    return sum((row.amount_mg for row in rows), Decimal(0))


def _adjusted(account: DrugAccount, drug: str) -> Decimal:
    lines = (line for line in druglog.account_lines(account) if line.drug_name == drug)
    return sum((line.adjusted_mg for line in lines), Decimal(0))


def hung_on_the_pump(
    infusion: InfusionSession, kind: AdministrationKind, happened_at: datetime, label: str | None
) -> uuid.UUID | None:
    """Return the bag or syringe that the pump runs from with this act, by its label where it was scanned.

    Raises RuleBroken where several may be meant, for a label of another session, and past the beyond-use time.
    """
    if kind not in {AdministrationKind.START, AdministrationKind.BAG_CHANGE}:
        return None
    made = to_hang(infusion, happened_at, label)
    return made.id if made else None


def to_hang(infusion: InfusionSession, happened_at: datetime, label: str | None) -> Preparation | None:
    """Return the bag or syringe that a scanned label names for this session, or the only one that can be meant."""
    used = {row.preparation_id for row in current(infusion.administrations) if row.preparation_id}
    drug = infusion.order_version.terms.drug.name
    made = druglog.hung(infusion.drug_account, drug, happened_at, code=label, used=used)
    if made is not None:
        _refuse_other_concentration(infusion, made)
    return made


def _refuse_other_concentration(infusion: InfusionSession, made: Preparation) -> None:
    """The pump's mg come from the order's concentration: a bag of another one would give another dose."""
    label, ordered = concentration_mg_ml(made.amount_mg, made.volume_ml), ordered_rates.concentration_mg_ml(infusion)
    if label != ordered:
        says, asks = (format_quantity(one, Unit.MG_PER_ML, spoken=True) for one in (label, ordered))
        words = f"The label of the {made.kind.value} {made.code} says {says}; the order says {asks}. Do not hang it."
        raise RuleBroken(words, field="label")


def controlled_given_mg(infusion: InfusionSession, at: datetime) -> dict[str, Decimal]:
    """Return the mg of each controlled drug given in the session: the infusion once it is stopped, and PRN doses."""
    found: dict[str, Decimal] = {}
    drug = infusion.order_version.terms.drug
    if drug.is_controlled and last_stop(infusion) is not None:
        found[drug.name] = pump(infusion, at).delivered_mg
    stands = current(infusion.prn_doses)
    for dose in infusion.prn_doses:
        if dose.prn_item.is_controlled and dose.unit in _MG:
            name = dose.prn_item.drug_name
            # A withdrawn dose counts nothing, but its drug stays: the register may say that it was given.
            given = dose.dose * _MG[dose.unit] if dose in stands else Decimal(0)
            found[name] = found.get(name, Decimal(0)) + given
    return found


def unaccounted_by_drug(infusion: InfusionSession) -> dict[str, Decimal]:
    """Return the mg of each drug of the session's account that are not accounted for, beyond the clinic's tolerance."""
    if infusion.drug_account is None:
        return {}
    tolerance = clinic_of(infusion).drug_tolerance_mg or Decimal(0)
    lines = druglog.account_lines(infusion.drug_account)
    return {
        line.drug_name: line.unaccounted_mg
        for line in lines
        if not is_balanced(line.unaccounted_mg, tolerance_mg=tolerance)
    }
