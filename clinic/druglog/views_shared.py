"""What every page of the register begins with."""

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort

from clinic.accounts.current import actor, clinic
from clinic.accounts.models import Staff
from clinic.accounts.second_person import both_proved, clinicians
from clinic.core.permissions import Permission
from clinic.core.times import local
from clinic.druglog import stock_queries
from clinic.druglog.forms import WitnessedForm
from clinic.druglog.models import Register

bp = Blueprint("druglog", __name__)


def today(now: datetime) -> date:
    """Return the clinic's calendar day."""
    return local(now, ZoneInfo(clinic().zone)).date()


def load_register(register_id: uuid.UUID) -> Register:
    """Return a page of this clinic's register, or answer 404."""
    return stock_queries.register(register_id) or abort(404)


def others() -> list[Staff]:
    """Return who may witness what the person at the screen does."""
    return [one for one in clinicians() if one.id != actor().id and one.may(Permission.WITNESS)]


def witness_of(form: WitnessedForm, *, at: datetime) -> Staff:
    """Return the witness, once both people have just typed their own passwords. Raises RuleBroken for anybody else."""
    return both_proved(
        actor(),
        form.own_password.data or "",
        form.witness_id.data or "",
        form.password.data or "",
        permission=Permission.WITNESS,
        at=at,
        field="witness_id",
    )


def drug_names() -> list[str]:
    """Return the controlled drugs of the formulary by name."""
    return list(dict.fromkeys(drug.name for drug in stock_queries.controlled_drugs()))
