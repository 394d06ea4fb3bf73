"""Correct the time until which an opened vial or a preparation may be used: both times stay, and two people sign."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from clinic.accounts.models import Clinic, Staff
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.times import clock_label, date_label, local
from clinic.druglog import queries
from clinic.druglog.models import Container, RegisterEntry
from clinic.druglog.models_settling import Preparation
from clinic.druglog.operations_lines import add_line, hold, needed, refuse_witness
from clinic.druglog.rules import RegisterKind


def correct_container_time(
    container: Container, beyond_use_at: datetime, reason: str, witness: Staff, *, by: Staff, at: datetime
) -> RegisterEntry:
    """Correct the time until which an opened container may be used, before a witness.

    Raises RuleBroken for one that has no such time, for a time before it was opened and for one after its expiry.
    """
    refuse_witness(witness, by)
    hold(container.register)
    db.session.refresh(container, ["opened_at", "beyond_use_at", "time_corrections"])
    if container.beyond_use_at is None or container.opened_at is None:
        raise RuleBroken("No beyond-use time was entered yet: open it.")
    _refuse_before(beyond_use_at, container.opened_at, "It was opened later than that.")
    day = local(beyond_use_at, _zone(container)).date()
    if container.expires_on is not None and day > container.expires_on:
        raise RuleBroken(f"Its label expires before that, on {date_label(container.expires_on)}.", field="day")
    return _correct(container, container.drug_name, beyond_use_at, reason, witness, container=container, by=by, at=at)


def correct_preparation_time(
    made: Preparation, beyond_use_at: datetime, reason: str, witness: Staff, *, by: Staff, at: datetime
) -> RegisterEntry:
    """Correct the time until which a bag or syringe may be used, before a witness who checks it anew."""
    refuse_witness(witness, by)
    register = queries.register_of(made.account, made.drug_name)
    if register is not None:
        hold(register)
    db.session.refresh(made, ["time_corrections", "line"])
    if made.is_struck:
        raise RuleBroken("It was struck out: nothing is hung from it.")
    _refuse_before(beyond_use_at, made.made_at, "It was made later than that.")
    about = {"account": made.account, "preparation_id": made.id}
    return _correct(made, made.drug_name, beyond_use_at, reason, witness, by=by, at=at, **about)


def _refuse_before(beyond_use_at: datetime, begun_at: datetime, words: str) -> None:
    if beyond_use_at <= begun_at:
        raise RuleBroken(words, field="clock")


def _zone(timed: Container | Preparation) -> ZoneInfo:
    return ZoneInfo(db.session.get_one(Clinic, timed.clinic_id).zone)


def _correct(
    timed: Container | Preparation,
    drug_name: str,
    beyond_use_at: datetime,
    reason: str,
    witness: Staff,
    *,
    by: Staff,
    at: datetime,
    **about: Any,
) -> RegisterEntry:
    """Add the line that says the right time and the wrong one."""
    why = needed(reason, "Say why.", field="reason")
    before = timed.use_before_at
    if before is None or before == beyond_use_at:
        raise RuleBroken("It says this time already.", field="clock")
    zone = _zone(timed)
    new, old = (f"{date_label(local(one, zone).date())} {clock_label(one, zone)}" for one in (beyond_use_at, before))
    entry = add_line(
        RegisterKind.TIME_CORRECTED,
        drug_name,
        Decimal(0),
        witness=witness,
        reason=f"{_name(timed)}use before {new}, not {old}: {why}",
        beyond_use_at=beyond_use_at,
        happened_at=at,
        by=by,
        at=at,
        **about,
    )
    db.session.expire(timed, ["time_corrections"])
    return entry


def _name(timed: Container | Preparation) -> str:
    """What the line names besides the drug: the code of a label, the lot of a vial."""
    if isinstance(timed, Preparation):
        return f"{timed.kind.value} {timed.code}, "
    return f"lot {timed.lot}, " if timed.lot else ""
