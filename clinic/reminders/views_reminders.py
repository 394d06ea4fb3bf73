"""The clinic's own times and texts of reminders."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.core import clock
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt
from clinic.reminders import operations, queries
from clinic.reminders.forms import KIND_WORDS, TextForm, TimeForm
from clinic.reminders.rules import TextKind
from clinic.reminders.views import bp


def _offered(form: TextForm) -> TextForm:
    form.offer(queries.drug_names(), queries.protocols())
    return form


def _page(*, time_form: TimeForm | None = None, text_form: TextForm | None = None) -> str:
    return render_template(
        "reminders/reminders.html",
        times=queries.times(),
        texts=queries.texts(),
        protocols=queries.protocols(),
        kinds=KIND_WORDS,
        form=time_form or text_form,
        time_form=time_form or TimeForm(formdata=None),
        text_form=_offered(text_form or TextForm(formdata=None)),
        tells_drug=clinic().mails_tell_drug,
        tells_changes=clinic().mails_tell_changes,
    )


@bp.get("/reminders")
@requires(Permission.READ_CALENDAR)
def show_reminders() -> ResponseReturnValue:
    return _page()


@bp.post("/reminders/times/add")
@requires(Permission.WRITE_PROTOCOL)
def add_time() -> ResponseReturnValue:
    form = TimeForm()
    done = attempt(
        form,
        lambda: operations.add_time(*form.values, by=actor(), at=clock.now()),
    )
    if done is None:
        return _page(time_form=form), 422
    flash("Saved. Reminders go out at that time from now on.")
    return redirect(url_for(".show_reminders"), 303)


@bp.post("/reminders/times/<uuid:time_id>/remove")
@requires(Permission.WRITE_PROTOCOL)
def remove_time(time_id: uuid.UUID) -> ResponseReturnValue:
    operations.remove_time(queries.time(time_id) or abort(404), by=actor(), at=clock.now())
    flash("No reminder goes out at that time any more.")
    return redirect(url_for(".show_reminders"), 303)


@bp.post("/reminders/texts/set")
@requires(Permission.WRITE_PROTOCOL)
def set_text() -> ResponseReturnValue:
    form = _offered(TextForm())
    done = attempt(
        form,
        lambda: operations.set_text(
            clinic(), TextKind(form.kind.data), form.words.data or "", **form.target, by=actor(), at=clock.now()
        ),
    )
    if done is None:
        return _page(text_form=form), 422
    flash("Saved. It stands in the mails that go out from now on.")
    return redirect(url_for(".show_reminders"), 303)


@bp.post("/reminders/texts/<uuid:text_id>/remove")
@requires(Permission.WRITE_PROTOCOL)
def remove_text(text_id: uuid.UUID) -> ResponseReturnValue:
    operations.remove_text(queries.text(text_id) or abort(404), by=actor(), at=clock.now())
    flash("Mails say this no more.")
    return redirect(url_for(".show_reminders"), 303)
