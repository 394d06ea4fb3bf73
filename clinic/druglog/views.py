"""The register of controlled drugs: its pages, and what is recorded at the cabinet."""

import uuid
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, formats
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.core.units import Unit, format_quantity
from clinic.druglog import (
    operations,
    preparation_queries,
    queries,
    stock_queries,
    views_preparation,
    views_settling,
    views_stock,
    views_times,
)
from clinic.druglog.forms import HOW, CountForm, DifferenceForm, MeasureForm, WasteForm
from clinic.druglog.models import DrugAccount, Register
from clinic.druglog.models_settling import Preparation
from clinic.druglog.pages import (
    NOT_OF_THE_CABINET,
    Reckoning,
    Row,
    left_in,
    pieces_of,
    reckoning,
    rows_of,
    short_name,
    units_of,
)
from clinic.druglog.queries import AccountLine
from clinic.druglog.rules import RegisterKind
from clinic.druglog.settling_rules import concentration_mg_ml
from clinic.druglog.stock_queries import LINES_A_PAGE
from clinic.druglog.views_shared import bp, load_register, others, today, witness_of

__all__ = ["bp", "views_preparation", "views_settling", "views_stock", "views_times"]


@bp.get("/drugs")
@requires(Permission.READ_DRUG_LOG)
def show_log() -> ResponseReturnValue:
    """The first page of the register; without one, how to begin."""
    pages = stock_queries.registers()
    if pages:
        return redirect(url_for(".show_register", register_id=pages[0].register.id), 303)
    return render_template("druglog/empty.html", cabinets=stock_queries.cabinets())


def register_page(
    register: Register, template: str = "druglog/register.html", *, waiting: Row | None = None, **context: Any
) -> str:
    """Draw a page of the register, with what stands beside it; `waiting` is a line that nobody has signed yet."""
    now = clock.now()
    reading.note(AuditAction.DRUG_LOG_READ, register, actor_id=actor().id)
    before, is_whole = request.args.get("before", type=int), request.args.get("all") == "1"
    kinds = () if is_whole else tuple(kind for kind in RegisterKind if kind not in NOT_OF_THE_CABINET)
    entries = stock_queries.lines_of(register.id, before=before, kinds=kinds, limit=LINES_A_PAGE + 1)
    pages = stock_queries.registers()
    balance = next(one.balance_mg for one in pages if one.register.id == register.id)
    units = units_of(register, entries, balance)
    shown = entries[:LINES_A_PAGE]
    # A long delivery is one row: the next page begins below all of it.
    rest = stock_queries.rest_of_delivery(shown[-1]) if len(entries) > LINES_A_PAGE else 0
    rows = rows_of(shown, units, today=today(now), rest=rest)
    lowest = (shown[-1].line or 0) - rest if shown else 0
    return render_template(
        template,
        register=register,
        drugs=_drugs(register, pages),
        siblings=_siblings(register, pages),
        rows=([waiting] if waiting and not before else []) + rows,
        is_whole=is_whole,
        earlier=lowest if len(entries) > LINES_A_PAGE and lowest > 1 else None,
        balance=units.balance(balance),
        unit=register.counted if units.full_mg else "",
        **context,
    )


def _siblings(register: Register, pages: list[stock_queries.Held]) -> list[tuple[str, str, bool]]:
    """The switch between the pages of one drug: other strengths, other cabinets."""
    return [
        (
            url_for(".show_register", register_id=page.id),
            f"{page.name.removeprefix(page.drug_name).strip(' ,')}, {page.cabinet.name}",
            page.id == register.id,
        )
        for page in (one.register for one in pages)
        if page.drug_name == register.drug_name
    ]


def _drugs(register: Register, pages: list[stock_queries.Held]) -> list[tuple[str, str, bool]]:
    """The switch between drugs: each leads to its first page."""
    first: dict[str, Register] = {}
    for one in pages:
        first.setdefault(one.register.drug_name, one.register)
    return [
        (url_for(".show_register", register_id=page.id), name, name == register.drug_name)
        for name, page in first.items()
    ]


@bp.get("/drugs/<uuid:register_id>")
@requires(Permission.READ_DRUG_LOG)
def show_register(register_id: uuid.UUID) -> ResponseReturnValue:
    """One drug in one cabinet, line by line, with what waits to be settled beside it."""
    register, now = load_register(register_id), clock.now()
    return register_page(
        register,
        left=left_in(stock_queries.accounts_to_settle(register), register.drug_name),
        underway=[one for one in stock_queries.underway() if one.drug_name == register.drug_name],
        pieces=pieces_of(stock_queries.containers_on(register.id), today=today(now), now=now),
        me=actor().id,
    )


# --- waste -----------------------------------------------------------------------------------------------------------


def _account(register: Register, account_id: uuid.UUID) -> tuple[DrugAccount, AccountLine]:
    account = stock_queries.account(account_id) or abort(404)
    if request.method == "POST":
        same_patient(account.patient_id)
    line = next((one for one in queries.account_lines(account) if one.drug_name == register.drug_name), None)
    return account, line or abort(404)


def _only_bag(account: DrugAccount, register: Register) -> Preparation | None:
    """The bag or syringe that was made for the session, where it is the only one: its label says mg per mL."""
    made = [
        one
        for one in preparation_queries.preparations_of(account.id)
        if one.drug_name == register.drug_name and not one.is_struck
    ]
    return made[0] if len(made) == 1 else None


def _measured(account: DrugAccount, register: Register, said: MultiDict[str, str]) -> MeasureForm:
    form, bag = MeasureForm(said), _only_bag(account, register)
    form.concentration_mg_ml = concentration_mg_ml(bag.amount_mg, bag.volume_ml) if bag else None
    return form


def _waste_page(
    register: Register, account: DrugAccount, line: AccountLine, asked: MeasureForm | None, form: WasteForm
) -> str:
    now = clock.now()
    bag = _only_bag(account, register)
    measure = asked or MeasureForm(None)
    amount = measure.amount_mg if asked else None
    patient = account.patient
    waiting = Row(
        when=formats.clock(now),
        what="waste",
        more="",
        patient=f"{patient.family_name.upper()}, {patient.given_name}",
        amount=format_quantity(amount, Unit.MG) if amount is not None else "",
        balance="\N{EN DASH}",
        by=short_name(actor()),
        witness="",
        is_strong=True,
        is_waiting=True,
    )
    reading.note(AuditAction.DRUG_LOG_READ, account, actor_id=actor().id)
    form.offer(others())
    sum_of: Reckoning = reckoning(line, amount, clinic().drug_tolerance_mg)
    return register_page(
        register,
        "druglog/waste.html",
        waiting=waiting,
        account=account,
        patient=patient,
        sum_of=sum_of,
        measure=measure,
        bag=bag,
        amount=amount,
        form=measure if asked and measure.errors else form,
        waste=form,
        is_measured=amount is not None and not measure.errors,
        me=actor(),
        drawn_at=now,
    )


@bp.get("/drugs/<uuid:register_id>/waste/<uuid:account_id>")
@requires(Permission.RECORD_DRUG)
def show_waste(register_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """What should be left of a session's drug; once it is measured, the witness."""
    register = load_register(register_id)
    account, line = _account(register, account_id)
    asked = _measured(account, register, request.args) if "how" in request.args or "measured" in request.args else None
    if asked:
        asked.validate()
    return _waste_page(register, account, line, asked, WasteForm(formdata=None))


@bp.post("/drugs/<uuid:register_id>/waste/<uuid:account_id>")
@requires(Permission.RECORD_DRUG)
def record_waste(register_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Destroy the rest of a session's drug before a witness."""
    register, form, now = load_register(register_id), WasteForm(), clock.now()
    account, line = _account(register, account_id)
    form.offer(others())
    measure = _measured(account, register, request.form)
    if not measure.validate():
        return _waste_page(register, account, line, measure, form), 422

    def act() -> object:
        return operations.waste(
            account,
            register.drug_name,
            measure.amount_mg or Decimal(0),
            witness_of(form, at=now),
            happened_at=now,
            reason=HOW[measure.how.data],
            is_more=bool(form.is_more.data),
            by=actor(),
            at=now,
        )

    if attempt(form, act) is not None:
        flash("Wasted and witnessed.")
        return redirect(url_for(".show_register", register_id=register.id), 303)
    return _waste_page(register, account, line, measure, form), 422


# --- counts and differences ------------------------------------------------------------------------------------------


@bp.get("/drugs/<uuid:register_id>/count")
@requires(Permission.RECORD_DRUG)
def show_count(register_id: uuid.UUID) -> ResponseReturnValue:
    """Count what is in the cabinet without seeing what the register says."""
    form = CountForm(formdata=None)
    form.offer(others())
    return render_template("druglog/count.html", register=load_register(register_id), form=form)


@bp.post("/drugs/<uuid:register_id>/count")
@requires(Permission.RECORD_DRUG)
def record_count(register_id: uuid.UUID) -> ResponseReturnValue:
    """Record what two people counted; what differs opens a discrepancy."""
    register, form, now = load_register(register_id), CountForm(), clock.now()
    form.offer(others())

    def act() -> object:
        counted = views_stock.counted_mg(register, form)
        return operations.count_page(register, counted, witness_of(form, at=now), happened_at=now, by=actor(), at=now)

    done: Any = attempt(form, act)
    if done is None:
        return render_template("druglog/count.html", register=register, form=form), 422
    _, opened = done
    if opened is not None:
        flash(f"The count differs. {opened.text}")
        return redirect(url_for(".show_discrepancy", discrepancy_id=opened.id), 303)
    flash("The count agrees.")
    return redirect(url_for(".show_register", register_id=register.id), 303)


@bp.get("/drugs/<uuid:register_id>/difference")
@requires(Permission.RECORD_DRUG)
def show_difference(register_id: uuid.UUID) -> ResponseReturnValue:
    """Say that something is not where it should be."""
    form = DifferenceForm(formdata=None)
    return render_template("druglog/difference.html", register=load_register(register_id), form=form)


@bp.post("/drugs/<uuid:register_id>/difference")
@requires(Permission.RECORD_DRUG)
def report_difference(register_id: uuid.UUID) -> ResponseReturnValue:
    """Open a discrepancy about what stands on a page."""
    register, form, now = load_register(register_id), DifferenceForm(), clock.now()

    def act() -> object:
        amount = Decimal(form.amount_mg.data or 0)
        signed = amount if form.way.data == "missing" else -amount
        return operations.report_difference(register, signed, form.text.data or "", by=actor(), at=now)

    opened: Any = attempt(form, act)
    if opened is not None:
        flash("The difference is reported.")
        return redirect(url_for(".show_discrepancy", discrepancy_id=opened.id), 303)
    return render_template("druglog/difference.html", register=register, form=form), 422
