"""Beyond-use times that were entered wrongly: of an opened vial, of a bag or syringe."""

import uuid
from collections.abc import Callable

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.accounts.models import Staff
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, same_patient
from clinic.druglog import operations, preparation_queries, stock_queries
from clinic.druglog.forms import TimeForm
from clinic.druglog.models import Container
from clinic.druglog.models_settling import Preparation
from clinic.druglog.views_shared import bp, others, witness_of


def _container(container_id: uuid.UUID) -> Container:
    found = stock_queries.container(container_id) or abort(404)
    return found if found.beyond_use_at else abort(404)


def _page(timed: Container | Preparation, form: TimeForm) -> str:
    patient = timed.account.patient if isinstance(timed, Preparation) else None
    reading.note(AuditAction.DRUG_LOG_READ, timed, actor_id=actor().id, patient_id=patient.id if patient else None)
    form.offer(others())
    return render_template(
        "druglog/time.html",
        timed=timed,
        name=_name(timed),
        patient=patient,
        back=_shown(timed),
        address=request.path,
        form=form,
    )


def _name(timed: Container | Preparation) -> str:
    if isinstance(timed, Preparation):
        return f"{timed.drug_name}: {timed.kind.value} {timed.code}"
    return timed.register.name


def _shown(timed: Container | Preparation) -> str:
    if isinstance(timed, Preparation):
        return url_for(".print_label", preparation_id=timed.id)
    return url_for(".show_container", container_id=timed.id)


def _record(timed: Container | Preparation, correct: Callable[[TimeForm, Staff], object]) -> ResponseReturnValue:
    form = TimeForm()
    form.offer(others())
    if attempt(form, lambda: correct(form, witness_of(form, at=clock.now()))) is None:
        return _page(timed, form), 422
    flash(
        "Corrected. Write the new time on the vial." if isinstance(timed, Container) else "Corrected. Print the label."
    )
    return redirect(_shown(timed), 303)


@bp.get("/drugs/containers/<uuid:container_id>/use-before")
@requires(Permission.RECORD_DRUG)
def show_container_time(container_id: uuid.UUID) -> ResponseReturnValue:
    """The time until which an opened container may be used, and the form to correct it."""
    return _page(_container(container_id), TimeForm(formdata=None))


@bp.post("/drugs/containers/<uuid:container_id>/use-before")
@requires(Permission.RECORD_DRUG)
def correct_container_time(container_id: uuid.UUID) -> ResponseReturnValue:
    """Correct the beyond-use time of a container before a witness."""
    timed = _container(container_id)

    def act(form: TimeForm, witness: Staff) -> object:
        return operations.correct_container_time(
            timed, form.instant(), form.reason.data or "", witness, by=actor(), at=clock.now()
        )

    return _record(timed, act)


@bp.get("/drugs/preparations/<uuid:preparation_id>/use-before")
@requires(Permission.RECORD_DRUG)
def show_preparation_time(preparation_id: uuid.UUID) -> ResponseReturnValue:
    """The time until which a bag or syringe may be used, and the form to correct it."""
    made = preparation_queries.preparation(preparation_id) or abort(404)
    return _page(made, TimeForm(formdata=None))


@bp.post("/drugs/preparations/<uuid:preparation_id>/use-before")
@requires(Permission.RECORD_DRUG)
def correct_preparation_time(preparation_id: uuid.UUID) -> ResponseReturnValue:
    """Correct the beyond-use time of a bag or syringe before a witness."""
    made = preparation_queries.preparation(preparation_id) or abort(404)
    same_patient(made.account.patient_id)

    def act(form: TimeForm, witness: Staff) -> object:
        return operations.correct_preparation_time(
            made, form.instant(), form.reason.data or "", witness, by=actor(), at=clock.now()
        )

    return _record(made, act)
