"""Bags and syringes that are made for a session: made, checked by another person, labelled, found by their code."""

import uuid
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.druglog import operations, preparation_queries, queries, stock_queries
from clinic.druglog.code39_rules import bars
from clinic.druglog.forms_preparation import PreparationForm
from clinic.druglog.models import DrugAccount
from clinic.druglog.settling_rules import PreparationKind, concentration_mg_ml
from clinic.druglog.views_shared import bp, others, witness_of


def _account(account_id: uuid.UUID) -> DrugAccount:
    account = stock_queries.account(account_id) or abort(404)
    if request.method == "POST":
        same_patient(account.patient_id)
    return account


def _page(account: DrugAccount, form: PreparationForm) -> str:
    reading.note(AuditAction.DRUG_LOG_READ, account, actor_id=actor().id)
    lines = queries.account_lines(account)
    form.offer(others())
    form.offer_drugs(line.drug_name for line in lines)
    return render_template(
        "druglog/prepare.html",
        account=account,
        patient=account.patient,
        lines=lines,
        made=preparation_queries.preparations_of(account.id),
        form=form,
    )


@bp.get("/drugs/accounts/<uuid:account_id>/prepare")
@requires(Permission.RECORD_DRUG)
def show_prepare(account_id: uuid.UUID) -> ResponseReturnValue:
    """What was taken out for a session, and the form for a bag or syringe of it."""
    return _page(_account(account_id), PreparationForm(formdata=None))


@bp.post("/drugs/accounts/<uuid:account_id>/prepare")
@requires(Permission.RECORD_DRUG)
def make_preparation(account_id: uuid.UUID) -> ResponseReturnValue:
    """Record what was made and checked, and go to its label."""
    account, form, now = _account(account_id), PreparationForm(), clock.now()
    form.offer(others())
    form.offer_drugs(line.drug_name for line in queries.account_lines(account))

    def act() -> object:
        return operations.make_preparation(
            account,
            form.drug_name.data,
            Decimal(form.amount_mg.data or 0),
            Decimal(form.volume_ml.data or 0),
            witness_of(form, at=now),
            kind=PreparationKind(form.kind.data),
            diluent=form.diluent.data,
            beyond_use_at=form.instant(),
            made_at=now,
            by=actor(),
            at=now,
        )

    made: Any = attempt(form, act)
    if made is None:
        return _page(account, form), 422
    flash("Made and checked. Print the label.")
    return redirect(url_for(".print_label", preparation_id=made.id), 303)


@bp.get("/drugs/preparations/<uuid:preparation_id>/label")
@requires(Permission.READ_DRUG_LOG)
def print_label(preparation_id: uuid.UUID) -> ResponseReturnValue:
    """The label of a bag or syringe, with a code that a scanner reads."""
    made = preparation_queries.preparation(preparation_id) or abort(404)
    reading.note(AuditAction.DRUG_LOG_PRINTED, made, actor_id=actor().id, patient_id=made.account.patient_id)
    marks, width = bars(made.code)
    return render_template(
        "druglog/label.html",
        made=made,
        timed=made,
        patient=made.account.patient,
        concentration=concentration_mg_ml(made.amount_mg, made.volume_ml),
        marks=marks,
        width=width,
    )


@bp.get("/drugs/preparations")
@requires(Permission.READ_DRUG_LOG)
def find_preparation() -> ResponseReturnValue:
    """What a scanned or typed label names."""
    code = request.args.get("code", "")[:20]
    found = preparation_queries.preparation_with(code) if code else None
    if found is not None:
        return redirect(url_for(".print_label", preparation_id=found.id), 303)
    return render_template("druglog/find_label.html", code=code)
