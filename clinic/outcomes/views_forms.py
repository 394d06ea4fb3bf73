"""The clinic's own measures, each in its versions, and what the clinic calls a response."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.core.requests import drawn_version
from clinic.outcomes import operations_forms, queries
from clinic.outcomes.forms import MeasureForm, ResponseForm, exact, whole
from clinic.outcomes.models import OutcomeForm
from clinic.outcomes.pages import measures
from clinic.outcomes.views_shared import bp
from clinic.outcomes.wording import QUESTIONNAIRES, response_words


def _draw(form: ResponseForm | None = None) -> str:
    asked = measures()
    response = form or ResponseForm(formdata=None)
    response.ask(asked)
    rules = queries.responder_rules()
    return render_template(
        "outcomes/measures.html",
        shipped=QUESTIONNAIRES.values(),
        forms=_by_series(queries.forms()),
        rules=[(rule, response_words(rule, asked)) for rule in rules],
        form=response,
    )


def _by_series(forms: list[OutcomeForm]) -> list[list[OutcomeForm]]:
    """The versions of each form, the newest first."""
    found: dict[uuid.UUID, list[OutcomeForm]] = {}
    for form in forms:
        found.setdefault(form.series_id, []).append(form)
    return list(found.values())


@bp.get("/measures")
@requires(Permission.READ_OUTCOME)
def list_measures() -> ResponseReturnValue:
    return _draw()


@bp.post("/measures/response")
@requires(Permission.DEFINE_OUTCOME)
def define_response() -> ResponseReturnValue:
    form = ResponseForm()
    form.ask(measures())
    if form.validate_on_submit():
        try:
            operations_forms.define_response(
                form.measure.data or None,
                least_percent=whole(form.least_percent),
                reaches=exact(form.reaches),
                within_days=whole(form.within_days),
                reason=form.reason.data or "",
                by=actor(),
                at=clock.now(),
            )
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Definition saved" if form.measure.data else "Definition ended")
            return redirect(url_for(".list_measures"), 303)
    return _draw(form), 422


@bp.get("/measures/new")
@requires(Permission.DEFINE_OUTCOME)
def show_new_measure() -> ResponseReturnValue:
    return render_template("outcomes/measure.html", form=MeasureForm(formdata=None), versions=[])


@bp.post("/measures/new")
@requires(Permission.DEFINE_OUTCOME)
def add_measure() -> ResponseReturnValue:
    return _save([])


@bp.get("/measures/<uuid:series_id>")
@requires(Permission.READ_OUTCOME)
def show_measure(series_id: uuid.UUID) -> ResponseReturnValue:
    versions = queries.form_versions(series_id) or abort(404)
    return render_template("outcomes/measure.html", form=MeasureForm.of(versions[0]), versions=versions)


@bp.post("/measures/<uuid:series_id>")
@requires(Permission.DEFINE_OUTCOME)
def change_measure(series_id: uuid.UUID) -> ResponseReturnValue:
    return _save(queries.form_versions(series_id) or abort(404))


def _save(versions: list[OutcomeForm]) -> ResponseReturnValue:
    """Write the form as typed: the first version of a new one, or the next of one that is there."""
    form = MeasureForm()
    if form.validate_on_submit():
        try:
            _refuse_stale(versions)
            series_id = versions[0].series_id if versions else None
            made = operations_forms.write_form(form.wording(), series_id=series_id, by=actor(), at=clock.now())
        except Conflict:
            raise
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash(f"Version {made.number} saved")
            return redirect(url_for(".show_measure", series_id=made.series_id), 303)
    return render_template("outcomes/measure.html", form=form, versions=versions), 422


def _refuse_stale(versions: list[OutcomeForm]) -> None:
    if versions and drawn_version() not in {None, versions[0].number}:
        raise Conflict("Somebody else changed this form meanwhile. Nothing of yours was saved. Read it again.")


@bp.post("/measures/<uuid:series_id>/retire")
@requires(Permission.DEFINE_OUTCOME)
def retire_measure(series_id: uuid.UUID) -> ResponseReturnValue:
    versions = queries.form_versions(series_id) or abort(404)
    operations_forms.retire_form(versions[0], by=actor(), at=clock.now())
    flash(f"{versions[0].name} is asked no more")
    return redirect(url_for(".list_measures"), 303)
