"""The session's drug account: taken out, prepared, wasted before a witness, returned."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.accounts.models import Staff
from clinic.accounts.second_person import both_proved
from clinic.core import clock, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.units import EXACT, Unit, format_quantity
from clinic.druglog import operations as druglog
from clinic.druglog import queries as register
from clinic.druglog.models import Container, DrugAccount
from clinic.druglog.rules import in_pieces
from clinic.sessions import operations
from clinic.sessions.forms_acts import number
from clinic.sessions.forms_discharge import DrugForm
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_session import strip_cells
from clinic.sessions.pages_words import drug_name
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, clinicians, frame, load, session_url, zone


def _drugs(infusion: InfusionSession) -> list[str]:
    """Return the drugs that may be taken out: the order's own and its controlled ones as needed."""
    terms = infusion.order_version.terms
    names = [drug_name(infusion), *(item.drug_name for item in terms.prn_items if item.is_controlled)]
    return list(dict.fromkeys(names))


def _moment(instant: datetime) -> str:
    return f"{formats.short_day(instant)} {formats.clock(instant)}"


def _containers(infusion: InfusionSession) -> list[tuple[Container, str]]:
    """Return every container that drug may be taken from or put back into, with its words."""
    found = []
    for container, balance in register.containers_at_hand(_drugs(infusion), infusion.drug_account):
        lot = f", lot {container.lot}" if container.lot else ""
        held = in_pieces(balance, container.piece_mg, container.register.form)
        until = f", use before {_moment(container.use_before_at)}" if container.use_before_at else ""
        found.append((container, f"{container.drug_name}: {container.description}{lot}, holds {held}{until}"))
    return found


def _offered(infusion: InfusionSession) -> list[tuple[Container, str]]:
    """Return them as they are chosen from: of unopened ones that are alike, the oldest stands for all."""
    alike: dict[object, list[tuple[Container, str]]] = {}
    for container, words in _containers(infusion):
        key = container.id if container.opened_at else (words, container.register_id, container.expires_on)
        alike.setdefault(key, []).append((container, words))
    return [
        (same[-1][0], same[-1][1] + (f" each, {len(same)} there" if len(same) > 1 else "")) for same in alike.values()
    ]


def _page(infusion: InfusionSession, form: DrugForm, status: int = 200) -> ResponseReturnValue:
    now = clock.now()
    offered = _offered(infusion)
    form.offer(offered, _drugs(infusion), [one for one in clinicians() if one.id != actor().id])
    account = infusion.drug_account
    # The same field stands in several forms of the page: what was typed goes back into the one that was sent.
    refused_act = form.act.data if form.summary else None
    page = render_template(
        "sessions/drug.html",
        **frame(infusion, now),
        form=form,
        refused_act=refused_act,
        refusals=[(f"{refused_act}-{name}" if name else None, message) for name, message in form.summary],
        page_errors=bool(form.summary),
        cells=strip_cells(infusion, progress(infusion, now), zone=zone(), now=now),
        lines=register.account_lines(account) if account else [],
        entries=register.entries_of(account) if account else [],
        discrepancies=register.discrepancies_of(account) if account else [],
        account_id=account.id if account else None,
        has_pieces=any(one.piece_mg for one, _ in offered),
        is_witnessed=clinic().is_withdrawal_witnessed,
        back_to=session_url(infusion),
    )
    return page, status


@bp.get("/sessions/<uuid:infusion_id>/drug")
@requires(Permission.RECORD_DRUG)
def show_drug(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """What was taken out for this session, and where it went."""
    return _page(load(infusion_id), DrugForm(formdata=None))


@bp.post("/sessions/<uuid:infusion_id>/drug")
@requires(Permission.RECORD_DRUG)
def record_drug(infusion_id: uuid.UUID) -> ResponseReturnValue:
    """Add one line to the account."""
    infusion, form, now = load(infusion_id), DrugForm(), clock.now()
    form.offer(_containers(infusion), _drugs(infusion), clinicians())

    def act() -> bool:
        account = operations.open_drug_account(infusion, by=actor(), at=now)
        _ACTS.get(form.act.data or "", _unknown)(infusion, account, form, now)
        return True

    if attempt(form, act):
        flash("Recorded in the drug account.")
        return redirect(url_for(".show_drug", infusion_id=infusion.id), 303)
    return _page(load(infusion_id), form, 422)


def _container(infusion: InfusionSession, form: DrugForm) -> Container:
    found = next((one for one, _ in _containers(infusion) if str(one.id) == form.container_id.data), None)
    if found is None:
        raise RuleBroken("Choose the vial or bag.", field="container_id")
    return found


def _drug(form: DrugForm) -> str:
    if not form.drug_name.data:
        raise RuleBroken("Choose the drug.", field="drug_name")
    return str(form.drug_name.data)


def _amount(form: DrugForm, container: Container | None = None) -> Decimal:
    """Return what was entered in mg; what is counted in pieces holds what its label says of each."""
    mg, pieces = number(form.quantity_mg), number(form.pieces)
    if container is None or pieces is None:
        if mg is None:
            raise RuleBroken("Enter the amount.", field="quantity_mg")
        return mg
    if container.piece_mg is None:
        raise RuleBroken("This one is not counted in pieces: enter mg.", field="pieces")
    counted = EXACT.multiply(pieces, container.piece_mg)
    if mg is not None and mg != counted:
        said = f"{format_quantity(counted, Unit.MG)}, not {format_quantity(mg, Unit.MG)}"
        raise RuleBroken(f"So many pieces hold {said}. Enter one of the two.", field="pieces")
    return counted


def _withdraw(infusion: InfusionSession, account: DrugAccount, form: DrugForm, now: datetime) -> None:
    witness = _witness(form, now) if clinic().is_withdrawal_witnessed else None
    container = _container(infusion, form)
    druglog.withdraw(account, container, _amount(form, container), witness=witness, happened_at=now, by=actor(), at=now)


def _prepare(_infusion: InfusionSession, account: DrugAccount, form: DrugForm, now: datetime) -> None:
    said = (form.reason.data or "").strip() or None
    druglog.prepare(account, _drug(form), _amount(form), happened_at=now, reason=said, by=actor(), at=now)


def _witness(form: DrugForm, now: datetime) -> Staff:
    return both_proved(
        actor(),
        form.own_password.data or "",
        form.witness_id.data or "",
        form.password.data or "",
        permission=Permission.WITNESS,
        at=now,
        field="witness_id",
    )


def _prime(_infusion: InfusionSession, account: DrugAccount, form: DrugForm, now: datetime) -> None:
    witness, said = _witness(form, now), (form.reason.data or "").strip() or None
    druglog.prime(account, _drug(form), _amount(form), witness, happened_at=now, reason=said, by=actor(), at=now)


def _waste(_infusion: InfusionSession, account: DrugAccount, form: DrugForm, now: datetime) -> None:
    witness = _witness(form, now)
    druglog.waste(
        account,
        _drug(form),
        _amount(form),
        witness,
        happened_at=now,
        reason=(form.reason.data or "").strip() or None,
        is_more=bool(form.is_more.data),
        by=actor(),
        at=now,
    )


def _return(infusion: InfusionSession, account: DrugAccount, form: DrugForm, now: datetime) -> None:
    container = _container(infusion, form)
    druglog.return_to_stock(account, container, _amount(form, container), happened_at=now, by=actor(), at=now)


def _unknown(*_: Any) -> None:
    raise RuleBroken("Choose what to record.")


_ACTS = {"withdraw": _withdraw, "prepare": _prepare, "prime": _prime, "waste": _waste, "return": _return}
