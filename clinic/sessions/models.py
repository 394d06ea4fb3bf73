"""One visit in which an infusion is intended, and everything that was seen and done in it.

Only `InfusionSession` itself has a state that changes; every other row is written once. Rate segments, totals and due
times are derived from these rows by the rules of this area and stored nowhere.
"""

import uuid
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import Staff
from clinic.core.db import Base, ClinicScoped
from clinic.core.recorded import ADDED, Recorded, Superseding, SupersedingSince, correction_says_why, first_only
from clinic.core.types import Quantity, enum_type
from clinic.courses.models import Course
from clinic.druglog.models import DrugAccount
from clinic.orders.models import OrderVersion, VerbalOrder
from clinic.patients.models import Patient, Weight
from clinic.protocols.models import CheckItem, PrnItem
from clinic.protocols.rules import SedationScale
from clinic.scheduling.models import Appointment, Chair
from clinic.sessions.event_rules import (
    Actuality,
    AdverseOutcome,
    IvAction,
    NotDoneReason,
    RightVolume,
    SessionEventKind,
)
from clinic.sessions.rules import AdministrationKind, GateResult, SessionStatus


class InfusionSession(ClinicScoped, Base):
    """A session of a course: which order, which weight, which chair, who runs it, and how far it has come."""

    __tablename__ = "infusion_session"
    __table_args__ = (
        sa.UniqueConstraint("appointment_id"),
        sa.CheckConstraint("number > 0", name="number_is_positive"),
        sa.Index(None, "clinic_id", "status"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("course.id"), index=True)
    appointment_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("appointment.id"))
    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    number: Mapped[int]
    chair_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("chair.id"))
    nurse_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    supervising_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    weight_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("weight.id"))
    drug_account_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("drug_account.id"), unique=True)
    status: Mapped[SessionStatus] = mapped_column(enum_type(SessionStatus, "session_status"))
    arrived_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(sort_order=95)
    patient: Mapped[Patient] = relationship()
    course: Mapped[Course] = relationship()
    appointment: Mapped[Appointment] = relationship()
    order_version: Mapped[OrderVersion] = relationship()
    chair: Mapped[Chair] = relationship()
    nurse: Mapped[Staff | None] = relationship(foreign_keys=[nurse_id])
    supervising: Mapped[Staff | None] = relationship(foreign_keys=[supervising_id])
    weight: Mapped[Weight | None] = relationship()
    drug_account: Mapped[DrugAccount | None] = relationship()
    transitions: Mapped[list["SessionTransition"]] = relationship(
        back_populates="infusion", order_by="SessionTransition.happened_at"
    )
    gate_answers: Mapped[list["GateAnswer"]] = relationship(
        back_populates="infusion", order_by="GateAnswer.recorded_at"
    )
    rate_proposals: Mapped[list["RateProposal"]] = relationship(
        back_populates="infusion", order_by="RateProposal.recorded_at"
    )
    administrations: Mapped[list["AdministrationEvent"]] = relationship(
        back_populates="infusion", order_by="AdministrationEvent.happened_at"
    )
    prn_doses: Mapped[list["PrnDose"]] = relationship(back_populates="infusion", order_by="PrnDose.given_at")
    observation_sets: Mapped[list["ObservationSet"]] = relationship(
        back_populates="infusion", order_by="ObservationSet.observed_at"
    )
    not_done: Mapped[list["ObservationNotDone"]] = relationship(
        back_populates="infusion", order_by="ObservationNotDone.due_at"
    )
    iv_records: Mapped[list["IvRecord"]] = relationship(back_populates="infusion", order_by="IvRecord.happened_at")
    events: Mapped[list["SessionEvent"]] = relationship(back_populates="infusion", order_by="SessionEvent.happened_at")
    adverse_events: Mapped[list["AdverseEvent"]] = relationship(
        back_populates="infusion", order_by="AdverseEvent.onset_at"
    )
    offers: Mapped[list["HandOverOffer"]] = relationship(
        back_populates="infusion", order_by="HandOverOffer.recorded_at"
    )
    discharge_assessments: Mapped[list["DischargeAssessment"]] = relationship(
        back_populates="infusion", order_by="DischargeAssessment.assessed_at"
    )
    discharges: Mapped[list["Discharge"]] = relationship(back_populates="infusion", order_by="Discharge.recorded_at")
    adoptions: Mapped[list["OrderAdoption"]] = relationship(back_populates="infusion")

    __mapper_args__ = {"version_id_col": version}

    @property
    def discharge(self) -> "Discharge | None":
        """How the patient left; None while the patient is here, and once the discharge was undone."""
        return standing(self.discharges)

    @property
    def open_offer(self) -> "HandOverOffer | None":
        """The newest offer of this session to another nurse, until somebody has taken the session over."""
        latest = max(self.offers, key=lambda offer: (offer.recorded_at, offer.id), default=None)
        if latest is None or not self.status.is_open:
            return None
        moves = [row for row in self.events if row.kind is SessionEventKind.HAND_OVER]
        return None if any(row.recorded_at >= latest.recorded_at for row in moves) else latest


class SessionTransition(ClinicScoped, Recorded, Base):
    """A change of a session's state: from, to, when, by whom and, where asked, why."""

    __tablename__ = "session_transition"

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    from_status: Mapped[SessionStatus] = mapped_column(enum_type(SessionStatus, "from_status"))
    to_status: Mapped[SessionStatus] = mapped_column(enum_type(SessionStatus, "to_status"))
    happened_at: Mapped[datetime]
    reason: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship(back_populates="transitions")


class GateAnswer(ClinicScoped, Recorded, Superseding, Base):
    """How one check of the page "Before infusion" was settled; an override names its reason."""

    __tablename__ = "gate_answer"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("result <> 'overridden' OR detail IS NOT NULL", name="override_says_why"),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    check_item_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("check_item.id"))
    result: Mapped[GateResult] = mapped_column(enum_type(GateResult, "gate_result"))
    detail: Mapped[str | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship(back_populates="gate_answers")
    check_item: Mapped[CheckItem] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="GateAnswer.recorded_by_id")


class AdministrationEvent(ClinicScoped, Recorded, Superseding, Base):
    """What the pump was made to do at an instant. Totals are the integral over these rows, never a stored number."""

    __tablename__ = "administration_event"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("happened_at <= recorded_at", name="not_in_future"),
        sa.CheckConstraint("kind NOT IN ('start', 'rate_change', 'resume') OR rate_ml_h > 0", name="flow_has_rate"),
        sa.CheckConstraint("kind <> 'bolus' OR bolus_mg > 0", name="bolus_has_dose"),
        sa.Index(None, "infusion_id", "happened_at"),
        # Starting again after a stop needs a new version of the order.
        sa.Index(
            "uq_administration_event_one_start",
            *("infusion_id", "order_version_id"),
            unique=True,
            sqlite_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
            postgresql_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
        ),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"))
    kind: Mapped[AdministrationKind] = mapped_column(enum_type(AdministrationKind, "administration_kind"))
    happened_at: Mapped[datetime]
    rate_ml_h: Mapped[Decimal | None] = mapped_column(Quantity(4))
    concentration_mg_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    bolus_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    bolus_over_min: Mapped[Decimal | None] = mapped_column(Quantity(2))
    volume_to_infuse_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    pump_volume_ml: Mapped[Decimal | None] = mapped_column(Quantity(4))
    # Where the pump's number and the computed one are too far apart: which is right, and why.
    right_volume: Mapped[RightVolume | None] = mapped_column(enum_type(RightVolume, "right_volume"))
    volume_reason: Mapped[str | None]
    reason: Mapped[str | None]
    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    double_check_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("double_check.id"))
    verbal_order_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("verbal_order.id"))
    # What the pump runs from: the bag or syringe that was made for this session.
    preparation_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("preparation.id"), info=ADDED)
    infusion: Mapped[InfusionSession] = relationship(back_populates="administrations")
    double_check: Mapped["DoubleCheck | None"] = relationship()
    verbal_order: Mapped[VerbalOrder | None] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="AdministrationEvent.recorded_by_id")


class PrnDose(ClinicScoped, Recorded, Superseding, Base):
    """An as-needed medicine that was given, under a line of the order."""

    __tablename__ = "prn_dose"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("given_at <= recorded_at", name="not_in_future"),
        sa.CheckConstraint("dose > 0", name="dose_is_positive"),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    prn_item_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("prn_item.id"))
    given_at: Mapped[datetime]
    dose: Mapped[Decimal] = mapped_column(Quantity(4))
    unit: Mapped[str]
    reason: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship(back_populates="prn_doses")
    prn_item: Mapped[PrnItem] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="PrnDose.recorded_by_id")


class ObservationSet(ClinicScoped, Recorded, Superseding, Base):
    """The vital signs and scores seen at one time. An empty value was not measured.

    The bounds here are those of the impossible (domain reference 2.1, absolute); a patient's limits are the order's.
    """

    __tablename__ = "observation_set"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("observed_at <= recorded_at", name="not_in_future"),
        sa.CheckConstraint("sbp BETWEEN 30 AND 300", name="sbp_is_possible"),
        sa.CheckConstraint("dbp BETWEEN 10 AND 200", name="dbp_is_possible"),
        sa.CheckConstraint("(sbp IS NULL) = (dbp IS NULL)", name="bp_is_a_pair"),
        sa.CheckConstraint("sbp > dbp", name="sbp_is_above_dbp"),
        sa.CheckConstraint("map BETWEEN 15 AND 250", name="map_is_possible"),
        sa.CheckConstraint("hr BETWEEN 10 AND 300", name="hr_is_possible"),
        sa.CheckConstraint("rr BETWEEN 0 AND 80", name="rr_is_possible"),
        sa.CheckConstraint("spo2 BETWEEN 10 AND 100", name="spo2_is_possible"),
        sa.CheckConstraint("etco2 BETWEEN 0 AND 150", name="etco2_is_possible"),
        sa.CheckConstraint("pain BETWEEN 0 AND 10", name="pain_is_0_to_10"),
        sa.CheckConstraint("dissociation BETWEEN 0 AND 3", name="dissociation_is_0_to_3"),
        sa.CheckConstraint("nausea BETWEEN 0 AND 3", name="nausea_is_0_to_3"),
        sa.CheckConstraint("sedation IS NULL OR sedation_scale IS NOT NULL", name="sedation_names_its_scale"),
        sa.Index(None, "infusion_id", "observed_at"),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"))
    observed_at: Mapped[datetime]
    sbp: Mapped[int | None]
    dbp: Mapped[int | None]
    map: Mapped[int | None]
    hr: Mapped[int | None]
    rr: Mapped[int | None]
    spo2: Mapped[int | None]
    o2_l_min: Mapped[Decimal | None] = mapped_column(Quantity(1))
    etco2: Mapped[int | None]
    temp: Mapped[Decimal | None] = mapped_column(Quantity(1))
    sedation_scale: Mapped[SedationScale | None] = mapped_column(enum_type(SedationScale, "sedation_scale"))
    sedation: Mapped[int | None]
    pain: Mapped[int | None]
    dissociation: Mapped[int | None]
    nausea: Mapped[int | None]
    note: Mapped[str | None]
    order_version_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("order_version.id"))
    infusion: Mapped[InfusionSession] = relationship(back_populates="observation_sets")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ObservationSet.recorded_by_id")


class ObservationNotDone(ClinicScoped, Recorded, SupersedingSince, Base):
    """Vitals that were due and could not be taken, and why."""

    __tablename__ = "observation_not_done"
    __table_args__ = (
        correction_says_why(),
        # A due time is marked once; marked anew after it was withdrawn, it goes on from there.
        sa.Index("uq_observation_not_done_first", "infusion_id", "due_at", unique=True, **first_only()),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"))
    due_at: Mapped[datetime]
    reason: Mapped[NotDoneReason] = mapped_column(enum_type(NotDoneReason, "not_done_reason"))
    detail: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship(back_populates="not_done")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="ObservationNotDone.recorded_by_id")


class IvRecord(ClinicScoped, Recorded, SupersedingSince, Base):
    """The cannula: placed, looked at, removed."""

    __tablename__ = "iv_record"
    __table_args__ = (correction_says_why(),)

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    action: Mapped[IvAction] = mapped_column(enum_type(IvAction, "iv_action"))
    happened_at: Mapped[datetime]
    site: Mapped[str | None]
    gauge: Mapped[str | None]
    vip_score: Mapped[int | None]
    detail: Mapped[str | None]
    infusion: Mapped[InfusionSession] = relationship(back_populates="iv_records")
    recorded_by: Mapped[Staff] = relationship(foreign_keys="IvRecord.recorded_by_id")


class SessionEvent(ClinicScoped, Recorded, Superseding, Base):
    """Anything else that happened: somebody was told, something was done, the session was handed over."""

    __tablename__ = "session_event"
    __table_args__ = (correction_says_why(), sa.CheckConstraint("happened_at <= recorded_at", name="not_in_future"))

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    kind: Mapped[SessionEventKind] = mapped_column(enum_type(SessionEventKind, "session_event_kind"))
    happened_at: Mapped[datetime]
    text: Mapped[str]
    person_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    reply: Mapped[str | None]
    observation_set_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("observation_set.id"))
    infusion: Mapped[InfusionSession] = relationship(back_populates="events")
    person: Mapped[Staff | None] = relationship(foreign_keys=[person_id])
    observation_set: Mapped[ObservationSet | None] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="SessionEvent.recorded_by_id")


class AdverseEvent(ClinicScoped, Recorded, Superseding, Base):
    """Anything harmful or nearly so; a later row supersedes it when it resolves or is classified."""

    __tablename__ = "adverse_event"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name="grade_is_1_to_5"),
        sa.CheckConstraint("resolved_at >= onset_at", name="resolves_after_onset"),
    )

    infusion_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("infusion_session.id"), index=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    actuality: Mapped[Actuality] = mapped_column(enum_type(Actuality, "actuality"))
    term: Mapped[str]
    onset_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    grade: Mapped[int | None]
    is_serious: Mapped[bool | None]
    serious_criterion: Mapped[str | None]
    causality: Mapped[str | None]
    action: Mapped[str | None]
    outcome: Mapped[AdverseOutcome | None] = mapped_column(enum_type(AdverseOutcome, "adverse_outcome"))
    infusion: Mapped[InfusionSession] = relationship(back_populates="adverse_events")
    patient: Mapped[Patient] = relationship()
    recorded_by: Mapped[Staff] = relationship(foreign_keys="AdverseEvent.recorded_by_id")


# Known with the session; modules of their own keep this one readable.
from clinic.sessions.models_leaving import Discharge, DischargeAssessment, standing  # noqa: E402
from clinic.sessions.models_people import HandOverOffer, OrderAdoption  # noqa: E402
from clinic.sessions.models_rates import DoubleCheck, RateProposal  # noqa: E402

__all__ = [
    "AdministrationEvent",
    "AdverseEvent",
    "Discharge",
    "DischargeAssessment",
    "DoubleCheck",
    "GateAnswer",
    "HandOverOffer",
    "InfusionSession",
    "IvRecord",
    "ObservationNotDone",
    "ObservationSet",
    "OrderAdoption",
    "PrnDose",
    "RateProposal",
    "SessionEvent",
    "SessionTransition",
]
