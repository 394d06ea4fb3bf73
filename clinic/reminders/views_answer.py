"""The page behind the link in a mail: following it changes nothing, its buttons do.

A mail server may follow each link to look for harm, so only a POST answers. The page names nobody.
"""

from contextlib import suppress
from zoneinfo import ZoneInfo

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.models import Clinic
from clinic.core import clock, db, formats
from clinic.core.errors import RuleBroken
from clinic.core.permissions import public
from clinic.reminders import links, queries
from clinic.reminders.views import bp
from clinic.reminders.wording import when_words
from clinic.scheduling import answers
from clinic.scheduling.locking import lock
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.scheduling.rules_answers import AnswerKind


def _behind(token: str) -> tuple[Appointment, Clinic] | None:
    appointment_id = links.appointment_behind(token)
    clinic = queries.clinic_of_appointment(appointment_id) if appointment_id else None
    if appointment_id is None or clinic is None:
        return None
    db.enter_clinic(clinic.id)
    formats.zone.set(ZoneInfo(clinic.zone))
    appointment = queries.appointment(appointment_id)
    return (appointment, clinic) if appointment else None


def _sealed(page: str, status: int = 200) -> Response:
    """A page whose address is a secret: no site may learn it, not even as where somebody came from.

    The origin alone still travels: without it a browser's own answer would be taken for another site's.
    """
    answer = make_response(page, status)
    answer.headers["Referrer-Policy"] = "strict-origin"
    return answer


def _dead() -> Response:
    return _sealed(render_template("reminders/dead_link.html"), 404)


def _page(appointment: Appointment, clinic: Clinic, token: str, status: int = 200) -> Response:
    given = answers.answers_to([appointment.id]).get(appointment.id)
    is_open = appointment.status is AppointmentStatus.BOOKED and appointment.starts_at > clock.now()
    if not is_open and (given is None or given.answer is not AnswerKind.CANCELLED):
        return _dead()
    page = render_template(
        "reminders/answer.html",
        when=when_words(appointment),
        clinic=clinic,
        clinic_name=clinic.name,
        token=token,
        given=given.answer if given else None,
        is_open=is_open,
    )
    return _sealed(page, status)


@bp.get("/answer/<string:token>")
@public
def show_answer(token: str) -> ResponseReturnValue:
    """The appointment and the two buttons."""
    found = _behind(token)
    return _page(*found, token) if found else _dead()


def _answer(token: str, kind: AnswerKind) -> ResponseReturnValue:
    found = _behind(token)
    if found is None:
        return _dead()
    appointment, _ = found
    lock(type(appointment.patient), {appointment.patient_id})
    db.session.refresh(appointment)  # the desk may have moved it while the page was open
    with suppress(RuleBroken):  # pressed twice, or something else came meanwhile: the page says how it stands
        answers.answer(appointment, kind, at=clock.now())
    return redirect(url_for(".show_answer", token=token), 303)


@bp.post("/answer/<string:token>/confirm")
@public
def confirm_appointment(token: str) -> ResponseReturnValue:
    """The patient comes."""
    return _answer(token, AnswerKind.CONFIRMED)


@bp.post("/answer/<string:token>/cancel")
@public
def cancel_appointment(token: str) -> ResponseReturnValue:
    """The patient gives the time back."""
    return _answer(token, AnswerKind.CANCELLED)
