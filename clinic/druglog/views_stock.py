"""Cabinets and what comes into them, one container, one line; lots that may not be used."""

import uuid
from datetime import datetime
from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Site
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.forms import Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.druglog import operations, queries, stock_queries
from clinic.druglog.forms import (
    CabinetForm,
    ContainerForm,
    CountForm,
    OpenForm,
    ReasonForm,
    RecallForm,
    ReceiveForm,
    StrikeForm,
)
from clinic.druglog.models import Cabinet, Container, Register
from clinic.druglog.operations_lines import line_content
from clinic.druglog.operations_receive import Delivery, Product
from clinic.druglog.rules import container_state, in_pieces
from clinic.druglog.views_shared import bp, drug_names, others, witness_of
from clinic.signatures.pages import shown
from clinic.signatures.queries import signatures_of


def counted_mg(register: Register, form: CountForm) -> Decimal:
    """Return what was counted in mg. Raises RuleBroken where nothing was entered."""
    if form.pieces.data is None and form.rest_mg.data is None:
        raise RuleBroken("Enter what you counted; 0 where there is none.", field="pieces")
    if form.pieces.data and register.content_mg is None:
        raise RuleBroken("The label of this page has no size: enter mg.", field="pieces")
    return Decimal(form.pieces.data or 0) * (register.content_mg or Decimal(0)) + Decimal(form.rest_mg.data or 0)


# --- cabinets and recalls --------------------------------------------------------------------------------------------


def _cabinets_page(
    *, cabinet: CabinetForm | None = None, recall: RecallForm | None = None, lift: ReasonForm | None = None
) -> str:
    refused: Form | None = cabinet or recall or lift
    cabinet = cabinet or CabinetForm(formdata=None)
    recall = recall or RecallForm(formdata=None, prefix="recall-")
    cabinet.offer(stock_queries.sites())
    recall.offer(drug_names())
    return render_template(
        "druglog/cabinets.html",
        cabinets=stock_queries.cabinets(),
        pages=stock_queries.registers(),
        underway=stock_queries.underway(),
        recalls=stock_queries.recalls(),
        me=actor().id,
        form=refused,
        cabinet_form=cabinet,
        recall_form=recall,
    )


@bp.get("/drugs/cabinets")
@requires(Permission.READ_DRUG_LOG)
def list_cabinets() -> ResponseReturnValue:
    """The cabinets with their pages, what is on its way between them, and recalled lots."""
    return _cabinets_page()


def _site(form: CabinetForm) -> Site:
    found = next((site for site in stock_queries.sites() if str(site.id) == form.site_id.data), None)
    if found is None:
        raise RuleBroken("Choose the site.", field="site_id")
    return found


@bp.post("/drugs/cabinets")
@requires(Permission.RECORD_DRUG)
def add_cabinet() -> ResponseReturnValue:
    """Add a cabinet."""
    form = CabinetForm()
    form.offer(stock_queries.sites())
    if attempt(form, lambda: operations.add_cabinet(_site(form), form.name.data, by=actor(), at=clock.now())):
        flash("Added.")
        return redirect(url_for(".list_cabinets"), 303)
    return _cabinets_page(cabinet=form), 422


@bp.post("/drugs/recalls")
@requires(Permission.RECORD_DRUG)
def recall_lot() -> ResponseReturnValue:
    """Note that a lot may not be used."""
    form = RecallForm(prefix="recall-")
    form.offer(drug_names())
    recalled = attempt(
        form,
        lambda: operations.recall_lot(form.drug_name.data, form.lot.data, form.reason.data, by=actor(), at=clock.now()),
    )
    if recalled is not None:
        if stock_queries.has_come(recalled.drug_name, recalled.lot):
            flash("Recalled: nothing of this lot can be drawn any more.")
        else:
            words = f"No container of {recalled.drug_name} came with this lot: compare it with the labels."
            flash(f"Recalled. {words}", "warn")
        return redirect(url_for(".list_cabinets"), 303)
    return _cabinets_page(recall=form), 422


@bp.post("/drugs/recalls/<uuid:recall_id>/lift")
@requires(Permission.RECORD_DRUG)
def lift_recall(recall_id: uuid.UUID) -> ResponseReturnValue:
    """Note that a lot may be used again."""
    recall = next((one for one in stock_queries.recalls() if one.id == recall_id), None) or abort(404)
    form = ReasonForm()
    if attempt(form, lambda: operations.lift_recall(recall, form.reason.data, by=actor(), at=clock.now())):
        flash("The lot may be used again.")
        return redirect(url_for(".list_cabinets"), 303)
    form.refusal, form.reason.errors = form.summary[0][1], []  # each lot has such a field: said on top
    return _cabinets_page(lift=form), 422


# --- into the cabinet ------------------------------------------------------------------------------------------------


def _receive_form(*, is_new: bool) -> ReceiveForm:
    form = ReceiveForm(formdata=None) if is_new else ReceiveForm()
    form.offer(stock_queries.cabinets(), drug_names())
    return form


@bp.get("/drugs/receive")
@requires(Permission.RECORD_DRUG)
def show_receive() -> ResponseReturnValue:
    """The form for a delivery."""
    return render_template("druglog/receive.html", form=_receive_form(is_new=True))


@bp.post("/drugs/receive")
@requires(Permission.RECORD_DRUG)
def receive() -> ResponseReturnValue:
    """Take a delivery into a cabinet."""
    form, now = _receive_form(is_new=False), clock.now()

    def act() -> list[Container]:
        cabinet = _cabinet(form.cabinet_id.data, "cabinet_id")
        product = Product(
            drug_name=form.drug_name.data,
            form=form.form.data,
            **form.measures(),
            lot=form.lot.data.strip(),
            expires_on=form.expires_on.data,
            product_code=form.product_code.data or None,
        )
        delivery = Delivery(
            supplier=form.supplier.data,
            invoice=form.invoice.data,
            address=form.supplier_address.data or None,
            number=form.supplier_number.data or None,
        )
        pieces = int(form.pieces.data or 0)
        return operations.receive(cabinet, product, pieces, delivery, received_at=now, by=actor(), at=now)

    taken = attempt(form, act)
    if taken is None:
        return render_template("druglog/receive.html", form=form), 422
    flash(f"Received {len(taken)}.")
    return redirect(url_for(".show_register", register_id=taken[0].register_id), 303)


def _cabinet(cabinet_id: str | None, field: str) -> Cabinet:
    found = next((one for one in stock_queries.cabinets() if str(one.id) == cabinet_id), None)
    if found is None:
        raise RuleBroken("Choose the cabinet.", field=field)
    return found


@bp.post("/drugs/transfers/<uuid:entry_id>/accept")
@requires(Permission.RECORD_DRUG)
def accept_transfer(entry_id: uuid.UUID) -> ResponseReturnValue:
    """Take into a cabinet what another person sent from another one."""
    sent = stock_queries.entry(entry_id) or abort(404)
    now = clock.now()
    try:
        cabinet = _cabinet(request.form.get("cabinet_id"), "cabinet_id")
        with db.session.begin_nested():  # what was begun is undone by a refusal
            made = operations.accept_transfer(sent, cabinet, happened_at=now, by=actor(), at=now)
    except RuleBroken as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".list_cabinets"), 303)
    flash("Accepted.")
    return redirect(url_for(".show_register", register_id=made.register_id), 303)


# --- one container ---------------------------------------------------------------------------------------------------


def _container_page(
    container: Container, *, change: ContainerForm | None = None, opening: OpenForm | None = None
) -> str:
    reading.note(AuditAction.DRUG_LOG_READ, container, actor_id=actor().id)
    form = change or ContainerForm(formdata=None)
    balance = queries.balance_mg(container)
    form.offer(others())
    form.offer_cabinets([one for one in stock_queries.cabinets() if one.id != container.register.cabinet_id])
    return render_template(
        "druglog/container.html",
        container=container,
        timed=container,
        state=container_state(balance, is_opened=container.opened_at is not None).value,
        balance=balance,
        held=in_pieces(balance, container.piece_mg, container.register.form),
        lines=stock_queries.lines_of_container(container.id),
        form=opening or form,
        change=form,
        opening=opening or OpenForm(formdata=None),
    )


@bp.get("/drugs/containers/<uuid:container_id>")
@requires(Permission.READ_DRUG_LOG)
def show_container(container_id: uuid.UUID) -> ResponseReturnValue:
    """One vial or bag: what it holds, its lines, and what may become of it."""
    container = stock_queries.container(container_id) or abort(404)
    return _container_page(container)


@bp.post("/drugs/containers/<uuid:container_id>")
@requires(Permission.RECORD_DRUG)
def change_container(container_id: uuid.UUID) -> ResponseReturnValue:
    """Send it, destroy it, or set its balance right."""
    container, form, now = stock_queries.container(container_id) or abort(404), ContainerForm(), clock.now()
    form.offer(others())
    form.offer_cabinets([one for one in stock_queries.cabinets() if one.id != container.register.cabinet_id])
    if attempt(form, lambda: _change(container, form, now)):
        flash("Recorded in the register.")
        return redirect(url_for(".show_container", container_id=container.id), 303)
    return _container_page(container, change=form), 422


@bp.post("/drugs/containers/<uuid:container_id>/open")
@requires(Permission.RECORD_DRUG)
def open_container(container_id: uuid.UUID) -> ResponseReturnValue:
    """Open a vial for several patients, with the time until which it may be used."""
    container, form, now = stock_queries.container(container_id) or abort(404), OpenForm(), clock.now()
    if attempt(form, lambda: operations.open_container(container, form.instant(), by=actor(), at=now)):
        flash("Opened. Write the time on the vial.")
        return redirect(url_for(".show_container", container_id=container.id), 303)
    return _container_page(container, opening=form), 422


def _change(container: Container, form: ContainerForm, now: datetime) -> object:
    reason = form.reason.data or ""
    match form.act.data:
        case "send":
            to = _cabinet(form.cabinet_id.data, "cabinet_id")
            return operations.send(
                container, to=to, reason=reason, seen_mg=form.seen, happened_at=now, by=actor(), at=now
            )
        case "destroy":
            witness = witness_of(form, at=now)
            return operations.destroy(
                container, reason, witness, seen_mg=form.seen, happened_at=now, by=actor(), at=now
            )
        case "adjust":
            witness = witness_of(form, at=now)
            amount = Decimal(form.amount_mg.data or 0)
            return operations.adjust(amount, reason, witness, container=container, happened_at=now, by=actor(), at=now)
        case _:
            raise RuleBroken("Choose what to record.")


# --- one line --------------------------------------------------------------------------------------------------------


@bp.get("/drugs/lines/<uuid:entry_id>")
@requires(Permission.READ_DRUG_LOG)
def show_line(entry_id: uuid.UUID) -> ResponseReturnValue:
    """One line with its place, its signatures and what it did."""
    return _line_page(entry_id, StrikeForm(formdata=None))


def _line_page(entry_id: uuid.UUID, form: StrikeForm) -> str:
    entry = stock_queries.entry(entry_id) or abort(404)
    patient_id = entry.account.patient_id if entry.account else None
    reading.note(AuditAction.DRUG_LOG_READ, entry, actor_id=actor().id, patient_id=patient_id)
    form.offer(others())
    content = line_content(entry)
    return render_template(
        "druglog/line.html",
        entry=entry,
        signatures=[shown(one, content) for one in signatures_of(entry.id)],
        may_strike=operations.may_strike(entry),
        form=form,
    )


@bp.post("/drugs/lines/<uuid:entry_id>/strike")
@requires(Permission.RECORD_DRUG)
def strike_line(entry_id: uuid.UUID) -> ResponseReturnValue:
    """Strike out a wrong line before a witness."""
    entry, form, now = stock_queries.entry(entry_id) or abort(404), StrikeForm(), clock.now()
    form.offer(others())

    def act() -> object:
        return operations.strike(entry, form.reason.data or "", witness_of(form, at=now), by=actor(), at=now)

    if attempt(form, act):
        flash("Struck out.")
        target = url_for(".show_register", register_id=entry.register_id) if entry.register_id else url_for(".show_log")
        return redirect(target, 303)
    return _line_page(entry_id, form), 422
