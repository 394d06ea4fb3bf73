"""How a side sheet works: an act at a session, its form beside the flowsheet, and one way to open and to save it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field

from clinic.core import clock
from clinic.core.errors import Conflict
from clinic.core.forms import ClockField, Form
from clinic.core.permissions import Permission, requires
from clinic.core.requests import attempt, drawn_version
from clinic.sessions.forms_acts import TimedForm
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_log import log_rows
from clinic.sessions.progress import progress
from clinic.sessions.views_shared import bp, load, session_page, session_url, zone

F = TypeVar("F", bound=TimedForm)
Act = Callable[[InfusionSession, F, datetime, datetime], object]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on a side sheet: the facts, the fields with their looks, and the verb of its button."""

    title: str
    save: str
    fields: tuple[tuple[Field, dict[str, Any]], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    lead: str = ""
    kind: str = "pri"
    more: tuple[tuple[Field, dict[str, Any]], ...] = ()
    more_title: str = ""
    is_timed: bool = True


def side_sheet(
    address: str,
    form_type: type[F],
    lay_out: Callable[[InfusionSession, F], Sheet],
    *,
    opens: str,
    said: str,
    brings: tuple[str, ...] = (),
    is_at_pump: bool = False,
) -> Callable[[Act[F]], Act[F]]:
    """Give an act its two views: GET `opens` draws the sheet, POST, named like the act, does it and says `said`.

    `lay_out` offers the choices that the answers are checked against, and says what stands on the sheet. `brings` names
    the fields that the link to the sheet may fill in. The act is called with the session, the form, the instant it is
    about and now; a RuleBroken goes back to the sheet with what was typed. `is_at_pump`: an act in the minute of the
    last one at the pump stands behind that one.
    """

    def register(act: Act[F]) -> Act[F]:
        @requires(Permission.RUN_SESSION)
        def show_sheet(infusion_id: uuid.UUID) -> ResponseReturnValue:
            infusion, form = load(infusion_id), drawn(form_type(formdata=None))
            for name in brings:
                form[name].data = request.args.get(name)
            return _page(infusion, form, lay_out(infusion, form))

        @requires(Permission.RUN_SESSION)
        def save_sheet(infusion_id: uuid.UUID) -> ResponseReturnValue:
            infusion, form, now = load(infusion_id), form_type(), clock.now()
            lay_out(infusion, form)

            def save() -> object:
                refuse_stale(infusion, form)
                after = last_act_at(infusion) if is_at_pump else None
                return act(infusion, form, form.moment(now, zone(), after=after), now)

            if attempt(form, save) is not None:
                flash(said)
                return redirect(session_url(infusion), 303)
            infusion = load(infusion_id)
            return _page(infusion, form, lay_out(infusion, form), status=422)

        rule = f"/sessions/<uuid:infusion_id>/{address}"
        bp.add_url_rule(rule, opens, show_sheet, methods=["GET"])
        bp.add_url_rule(rule, act.__name__, save_sheet, methods=["POST"])
        return act

    return register


def _page(infusion: InfusionSession, form: Form, sheet: Sheet, *, status: int = 200) -> ResponseReturnValue:
    answer: ResponseReturnValue = session_page(
        infusion,
        status=status,
        template="sessions/sheet.html",
        form=form,
        sheet=sheet,
        is_sheet=True,
        edition=edition(infusion),
    )
    return answer


def drawn(form: F) -> F:
    """Fill in the time of drawing."""
    form.draw(clock.now(), zone())
    return form


def edition(infusion: InfusionSession) -> int:
    """Return a number that grows with every act at the pump and every change of the session itself."""
    return infusion.version * 10_000 + len(infusion.administrations)


_NOT_SENT_AGAIN = {"csrf_token", "idempotency_key", "password", "version"}
_NOT_REPEATED = {"csrf_token", "password", "double_check_id", "about"}


def refuse_stale(infusion: InfusionSession, form: Form) -> None:
    """Raise Conflict, with what was typed, when somebody else has worked at the pump since this sheet was drawn."""
    drawn_from = drawn_version()
    if drawn_from is None or drawn_from == edition(infusion):
        return
    rows = log_rows(infusion, progress(infusion, clock.now()), late_min=None)
    newest = next((row for row in sorted(rows, key=lambda row: row.recorded_at, reverse=True) if row.title), None)
    conflict = Conflict(
        "Somebody else changed this session at the same moment. Nothing of yours was saved.",
        mine=[(field.label.text, _shown(field)) for field in form if field.name not in _NOT_REPEATED and field.data],
        theirs=[("Newest entry", f"{newest.title}, {newest.by}")] if newest else [],
    )
    conflict.saved_url = url_for("sessions.show_session", infusion_id=infusion.id)
    conflict.retry_url = request.path
    conflict.retry_fields = [
        *((name, value) for name, value in request.form.items(multi=True) if name not in _NOT_SENT_AGAIN),
        ("version", str(edition(infusion))),
    ]
    raise conflict


def _shown(field: Field) -> str:
    return f"{field.data:%H:%M}" if isinstance(field, ClockField) else str(field.data)


def last_act_at(infusion: InfusionSession) -> datetime | None:
    """Return when the pump was last touched."""
    return max((row.happened_at for row in infusion.administrations), default=None)


def clock_of(form: TimedForm) -> str:
    """Return the time on the sheet, for its button."""
    return "" if form.at.data is None else f" at {form.at.data:%H:%M}"
