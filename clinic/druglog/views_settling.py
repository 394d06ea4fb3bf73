"""Discrepancies and what is done about them; sheets on which a whole cabinet is counted."""

import uuid
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.core.units import BadNumber, parse_decimal
from clinic.druglog import operations, report_queries, stock_queries
from clinic.druglog.forms import SheetForm, StepForm
from clinic.druglog.models import Cabinet, Discrepancy, Register
from clinic.druglog.operations_settling import step_content
from clinic.druglog.settling_rules import Cause, CountPurpose, StepKind, TakenAt
from clinic.druglog.views_shared import bp, others, witness_of
from clinic.signatures.pages import shown
from clinic.signatures.queries import signatures_by_subject

_MOST = 100_000
_CLOSED_SHOWN = 60


# --- discrepancies ---------------------------------------------------------------------------------------------------


@bp.get("/drugs/discrepancies")
@requires(Permission.READ_DRUG_LOG)
def list_discrepancies() -> ResponseReturnValue:
    """Every discrepancy, those that are open first."""
    reading.note(AuditAction.DRUG_LOG_READ, None, actor_id=actor().id, page="discrepancies")
    found = stock_queries.discrepancies()
    closed = [one for one in found if one.status.is_closed]
    most = None if request.args.get("all") == "1" else _CLOSED_SHOWN
    shown = [one for one in found if not one.status.is_closed] + closed[:most]
    return render_template("druglog/discrepancies.html", discrepancies=shown, is_whole=len(shown) == len(found))


def _discrepancy_page(discrepancy: Discrepancy, form: StepForm) -> str:
    reading.note(AuditAction.DRUG_LOG_READ, discrepancy, actor_id=actor().id)
    form.offer(others())
    form.offer_steps(_possible(discrepancy))
    signatures = signatures_by_subject(step.id for step in discrepancy.steps)
    return render_template(
        "druglog/discrepancy.html",
        discrepancy=discrepancy,
        steps=[
            (step, [shown(one, step_content(step)) for one in signatures.get(step.id, [])])
            for step in discrepancy.steps
        ],
        form=form,
    )


def _possible(discrepancy: Discrepancy) -> list[StepKind]:
    if discrepancy.status.is_closed:
        return [StepKind.REOPENED]
    return [StepKind.INVESTIGATING, StepKind.RESOLVED, StepKind.REPORTED]


@bp.get("/drugs/discrepancies/<uuid:discrepancy_id>")
@requires(Permission.READ_DRUG_LOG)
def show_discrepancy(discrepancy_id: uuid.UUID) -> ResponseReturnValue:
    """What is missing or too much, what was done about it, and what can be done now."""
    discrepancy = stock_queries.discrepancy(discrepancy_id) or abort(404)
    return _discrepancy_page(discrepancy, StepForm(formdata=None))


@bp.post("/drugs/discrepancies/<uuid:discrepancy_id>")
@requires(Permission.RECORD_DRUG)
def take_step(discrepancy_id: uuid.UUID) -> ResponseReturnValue:
    """Look into it, close it by two people, or reopen it."""
    discrepancy, form, now = stock_queries.discrepancy(discrepancy_id) or abort(404), StepForm(), clock.now()
    form.offer(others())

    def act() -> object:
        kind = StepKind(form.kind.data)
        return operations.take_step(
            discrepancy,
            kind,
            form.note.data or "",
            cause=Cause(form.cause.data) if form.cause.data else None,
            second=witness_of(form, at=now) if kind.closes else None,
            by=actor(),
            at=now,
        )

    if attempt(form, act) is not None:
        flash("Recorded.")
        return redirect(url_for(".show_discrepancy", discrepancy_id=discrepancy.id), 303)
    return _discrepancy_page(discrepancy, form), 422


# --- count sheets ----------------------------------------------------------------------------------------------------


def _pages(cabinet: Cabinet) -> list[Register]:
    return [one.register for one in stock_queries.registers() if one.register.cabinet_id == cabinet.id]


def _sheet_page(cabinet: Cabinet, form: SheetForm, errors: dict[str, str]) -> str:
    form.offer(others())
    summary = [*form.summary, *errors.items()]
    return render_template(
        "druglog/sheet_form.html",
        cabinet=cabinet,
        pages=_pages(cabinet),
        sheets=stock_queries.sheets(cabinet.id),
        form=form,
        typed=request.form,
        errors=errors,
        summary=summary,
        page_errors=bool(summary),
    )


@bp.get("/drugs/cabinets/<uuid:cabinet_id>/count")
@requires(Permission.RECORD_DRUG)
def show_cabinet_count(cabinet_id: uuid.UUID) -> ResponseReturnValue:
    """A count sheet of a whole cabinet, without what the register says."""
    return _sheet_page(stock_queries.cabinet(cabinet_id) or abort(404), SheetForm(formdata=None), {})


@bp.post("/drugs/cabinets/<uuid:cabinet_id>/count")
@requires(Permission.RECORD_DRUG)
def count_cabinet(cabinet_id: uuid.UUID) -> ResponseReturnValue:
    """Record what two people counted, page by page."""
    cabinet, form, now = stock_queries.cabinet(cabinet_id) or abort(404), SheetForm(), clock.now()
    form.offer(others())
    errors: dict[str, str] = {}
    found = [counted for page in _pages(cabinet) if (counted := _counted(page, errors)) is not None]

    def act() -> object:
        if errors:
            raise RuleBroken("Count every page; enter 0 where there is none.")
        return operations.count_cabinet(
            cabinet,
            found,
            witness_of(form, at=now),
            purpose=CountPurpose(form.purpose.data),
            taken=TakenAt(form.taken.data) if form.taken.data else None,
            counted_at=now,
            by=actor(),
            at=now,
        )

    done: Any = attempt(form, act)
    if done is None:
        return _sheet_page(cabinet, form, errors), 422
    sheet, opened = done
    flash(f"{len(opened)} of {len(found)} differ." if opened else "Everything agrees.")
    return redirect(url_for(".show_sheet", sheet_id=sheet.id), 303)


def _counted(page: Register, errors: dict[str, str]) -> operations.Counted | None:
    """Read what was typed for one page; what cannot be is noted at its field."""
    amounts = []
    for name, places in ((f"pieces-{page.id}", 0), (f"rest-{page.id}", 4)):
        text = request.form.get(name, "").strip()
        try:
            amounts.append(parse_decimal(text, places=places, minimum=0, maximum=_MOST) if text else None)
        except BadNumber as problem:
            errors[name] = f"{page.name}: {problem}"
            return None
    pieces, rest = amounts
    if pieces and page.content_mg is None:
        errors[f"rest-{page.id}"] = f"{page.name}: the label has no size, enter mg"
        return None
    if pieces is None and rest is None:
        name = f"pieces-{page.id}" if page.content_mg else f"rest-{page.id}"
        errors[name] = f"{page.name}: enter what you counted; 0 where there is none"
        return None
    return operations.Counted(page, (pieces or Decimal(0)) * (page.content_mg or Decimal(0)) + (rest or Decimal(0)))


@bp.get("/drugs/counts/<uuid:sheet_id>")
@requires(Permission.READ_DRUG_LOG)
def show_sheet(sheet_id: uuid.UUID) -> ResponseReturnValue:
    """A count sheet that was filled in: counted beside the register, page by page."""
    sheet = stock_queries.sheet(sheet_id) or abort(404)
    return render_template("druglog/sheet.html", sheet=sheet, schedules=report_queries.schedules())
