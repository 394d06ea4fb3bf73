"""A session from the door to the chair: arrive, order, weight, people; and the one door to every verb of a session.

All verbs take `by` (who acts) and `at` (when it reaches us); times at which something happened are their own
arguments. They check, change and write the audit line; they never commit. Callers use `operations.<verb>`.
"""

from datetime import datetime

import sqlalchemy as sa

from clinic.accounts.models import Clinic, Staff
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.core.units import Unit, format_quantity
from clinic.courses.rules import CourseStatus
from clinic.orders.models import OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.patients.models import Weight
from clinic.patients.rules import WeightMethod
from clinic.protocols.rules import CheckKind
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions.models import InfusionSession, OrderAdoption
from clinic.sessions.operations_bedside import (
    give_prn,
    keep_refused,
    notify,
    record_adverse_event,
    record_event,
    record_iv,
    resolve_adverse_event,
)
from clinic.sessions.operations_bedside_corrections import (
    correct_adverse_event,
    correct_event,
    correct_line,
    correct_not_done,
    correct_prn,
    void_adverse_event,
    void_event,
    void_line,
    void_not_done,
    void_prn,
)
from clinic.sessions.operations_checks import (
    answer_gate,
    answer_identity,
    settle_by_software,
    time_out,
    update_readiness,
)
from clinic.sessions.operations_discharge import (
    assess_discharge,
    discharge,
    home_reasons,
    is_untouched,
    not_done,
    undo_arrival,
    undo_discharge,
)
from clinic.sessions.operations_drug_account import open_drug_account, to_hang
from clinic.sessions.operations_people import (
    accept_hand_over,
    asks_rate,
    assign_nurse,
    hand_over,
    offer_hand_over,
    set_supervising,
)
from clinic.sessions.operations_pump import (
    bolus,
    change_bag,
    change_rate,
    pause,
    resume,
    start,
    stop,
)
from clinic.sessions.operations_pump_corrections import correct_administration, say_why, void_administration
from clinic.sessions.operations_rates import double_check, propose_rate
from clinic.sessions.operations_shared import become, locked, refuse_future, refuse_hard
from clinic.sessions.operations_vitals import correct_observation, mark_not_done, record_observation, void_observation
from clinic.sessions.progress import breaches_of
from clinic.sessions.readiness import day_of, findings, order_findings, passed_check, start_reasons
from clinic.sessions.rules import SessionStatus

__all__ = [
    "accept_hand_over",
    "adopt_order",
    "answer_gate",
    "answer_identity",
    "arrive",
    "asks_rate",
    "assess_discharge",
    "assign_nurse",
    "bolus",
    "breaches_of",
    "change_bag",
    "change_rate",
    "correct_administration",
    "correct_adverse_event",
    "correct_event",
    "correct_line",
    "correct_not_done",
    "correct_observation",
    "correct_prn",
    "discharge",
    "double_check",
    "give_prn",
    "hand_over",
    "home_reasons",
    "is_untouched",
    "keep_refused",
    "locked",
    "mark_not_done",
    "not_done",
    "notify",
    "offer_hand_over",
    "open_drug_account",
    "passed_check",
    "pause",
    "propose_rate",
    "record_adverse_event",
    "record_event",
    "record_iv",
    "record_observation",
    "resolve_adverse_event",
    "resume",
    "say_why",
    "set_supervising",
    "start",
    "start_reasons",
    "stop",
    "time_out",
    "to_hang",
    "undo_arrival",
    "undo_discharge",
    "use_weight",
    "void_administration",
    "void_adverse_event",
    "void_event",
    "void_line",
    "void_not_done",
    "void_observation",
    "void_prn",
]


def arrive(appointment: Appointment, *, arrived_at: datetime, by: Staff, at: datetime) -> InfusionSession:
    """Begin the visit of a booked appointment: the session takes its number, chair and nurse, and the order in force.

    1. The course is active and its order may be used on this clinic day (signed, not on hold, valid, sessions left).
    2. The appointment becomes arrived, the session pre-checking.

    Raises RuleBroken when the patient cannot be taken on today, with the reason.
    """
    refuse_future(arrived_at, at, field="arrived_at")
    if appointment.status is not AppointmentStatus.BOOKED:
        raise RuleBroken(f"This appointment is {appointment.status.value}; only a booked one can arrive.")
    version = _order_to_use(appointment, arrived_at)
    scheduling.change_status(appointment, AppointmentStatus.ARRIVED, by=by, at=at)
    infusion = InfusionSession(
        patient_id=appointment.patient_id,
        course_id=appointment.course_id,
        appointment_id=appointment.id,
        order_version_id=version.id,
        number=appointment.session_number,
        chair_id=appointment.chair_id,
        nurse_id=appointment.nurse_id,
        status=SessionStatus.PLANNED,
        arrived_at=arrived_at,
    )
    db.session.add(infusion)
    db.session.flush()  # its transition names it
    become(infusion, SessionStatus.PRECHECKING, happened_at=arrived_at, by=by, at=at)
    return infusion


def _order_to_use(appointment: Appointment, arrived_at: datetime) -> OrderVersion:
    course = appointment.course
    if course.status is not CourseStatus.ACTIVE:
        raise RuleBroken(f"The course is {course.status.value.replace('-', ' ')}. A physician decides first.")
    version = course.order.current
    if version is None or version.signature_id is None:
        raise RuleBroken("The order is not signed. A physician signs it first.")
    if version.status is OrderStatus.ON_HOLD:
        raise RuleBroken("The order is on hold. A physician resumes it first.")
    clinic = db.session.get_one(Clinic, appointment.clinic_id)
    refuse_hard(order_findings(version, day_of(clinic, arrived_at)), field=None)
    return version


def adopt_order(infusion: InfusionSession, *, by: Staff, at: datetime) -> OrderVersion:
    """Go on under the version of the order that is in force now, as after a re-signed weight or a changed dose.

    What was given keeps the version it was given under. Answers to checks that the new version asks again hold.
    Raises RuleBroken when no other version is in force or the session is closed.
    """
    locked(infusion)
    if infusion.status.is_closed:
        raise RuleBroken("This session is closed.")
    version = db.session.scalar(
        sa.select(OrderVersion).where(
            OrderVersion.order_id == infusion.order_version.order_id, OrderVersion.status == OrderStatus.ACTIVE
        )
    )
    if version is None or version.signature_id is None:
        raise RuleBroken("No version of the order is in force. A physician signs or resumes it first.")
    if version.id == infusion.order_version_id:
        raise RuleBroken("The session runs under this version already.")
    was = infusion.order_version
    adoption = OrderAdoption(infusion=infusion, was_version_id=was.id, version_id=version.id)
    adoption.recorded_at, adoption.recorded_by_id = at, by.id
    db.session.add(adoption)
    infusion.order_version = version
    db.session.flush()
    audit.record(
        AuditAction.SESSION_STATUS_CHANGED,
        infusion,
        actor_id=by.id,
        at=at,
        was_order_version=was.number,
        order_version=version.number,
    )
    if infusion.weight is not None:
        _settle_weight(infusion, infusion.weight, by=by, at=at)  # the new version names a weight of its own
    update_readiness(infusion, by=by, at=at)
    return version


def use_weight(infusion: InfusionSession, weight: Weight, *, by: Staff, at: datetime) -> None:
    """Work the doses of this session out from a measured weight of today, and answer the weight check by it.

    A weight outside the clinic's per cent of the order's, or one that looks like pounds, is kept and fails the check:
    it stands until the order is signed again, a physician overrides it, or another weight is taken.
    """
    locked(infusion)
    if weight.patient_id != infusion.patient_id:
        raise RuleBroken("This weight is another patient's.", field="weight")
    if weight.method is not WeightMethod.MEASURED:
        raise RuleBroken("A stated weight is never dosed on. Weigh the patient.", field="weight")
    if infusion.status not in {SessionStatus.PRECHECKING, SessionStatus.READY}:
        raise RuleBroken("The weight of a session is settled before its start.", field="weight")
    was = infusion.weight.kg if infusion.weight else None
    infusion.weight = weight
    db.session.flush()
    audit.record(AuditAction.WEIGHT_RECORDED, infusion, actor_id=by.id, at=at, was_kg=was, used_kg=weight.kg)
    _settle_weight(infusion, weight, by=by, at=at)
    update_readiness(infusion, by=by, at=at)


def _settle_weight(infusion: InfusionSession, weight: Weight, *, by: Staff, at: datetime) -> None:
    """Answer the weight check by comparing today's weight with the order's."""
    found = findings(infusion, CheckKind.WEIGHT, at)
    detail = " ".join(finding.message for finding in found) or format_quantity(weight.kg, Unit.KG)
    settle_by_software(infusion, CheckKind.WEIGHT, is_passed=not found, detail=detail, by=by, at=at)
