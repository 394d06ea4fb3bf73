"""Who signs for whom, while somebody is away."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts import cover
from clinic.accounts import queries as accounts
from clinic.accounts.current import actor
from clinic.accounts.models import Cover
from clinic.core import clock
from clinic.core.permissions import Permission, Role, requires
from clinic.core.requests import attempt
from clinic.notes.forms import CoverForm, EndCoverForm
from clinic.notes.views_shared import bp


def _draw(form: CoverForm | None = None, refused: tuple[uuid.UUID, EndCoverForm] | None = None) -> str:
    if form is None:
        form = CoverForm(formdata=None)
        form.offer(accounts.staff_in_role(Role.PHYSICIAN))
    refusals = dict([refused] if refused else [])
    return render_template(
        "notes/cover.html",
        form=form,
        refused=refused[1] if refused else form,
        covers=[
            (each, refusals.get(each.id) or EndCoverForm(formdata=None, prefix=f"c{each.id.hex[-12:]}-"))
            for each in cover.covers_of(actor().id, cover.clinic_day(clock.now()))
        ],
    )


@bp.get("/inbox/cover")
@requires(Permission.READ_INBOX)
def show_covers() -> str:
    """The covers that one gives and takes, and a form for another."""
    return _draw()


@bp.post("/inbox/cover")
@requires(Permission.READ_INBOX)
def arrange_cover() -> ResponseReturnValue:
    """Write down who signs for whom, from which day to which."""
    physicians = {str(person.id): person for person in accounts.staff_in_role(Role.PHYSICIAN)}
    form = CoverForm()
    form.offer(physicians.values())

    def arrange() -> Cover:
        away, covering = physicians[form.away_id.data], physicians[form.covering_id.data]
        return cover.arrange(away, covering, *form.days(), by=actor(), at=clock.now())

    made = attempt(form, arrange)
    if made is None:
        return _draw(form), 422
    flash(f"{made.covering.name} signs for {made.away.name}")
    return redirect(url_for(".show_covers"), 303)


@bp.post("/inbox/cover/<uuid:cover_id>/end")
@requires(Permission.READ_INBOX)
def end_cover(cover_id: uuid.UUID) -> ResponseReturnValue:
    """End a cover before its last day."""
    mine = cover.covers_of(actor().id, cover.clinic_day(clock.now()))
    found = next((each for each in mine if each.id == cover_id), None) or abort(404)
    form = EndCoverForm(prefix=f"c{cover_id.hex[-12:]}-")
    if attempt(form, lambda: cover.withdraw(found, reason=form.reason.data or "", by=actor(), at=clock.now())) is None:
        return _draw(refused=(cover_id, form)), 422
    flash("The cover has ended")
    return redirect(url_for(".show_covers"), 303)
