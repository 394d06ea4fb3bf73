"""What a patient answered about an appointment, by the link in a mail."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.core.db import Base, ClinicScoped
from clinic.core.types import enum_type
from clinic.scheduling.rules_answers import AnswerKind


class AppointmentAnswer(ClinicScoped, Base):
    """An answer of the patient's, as it came. The last one counts."""

    __tablename__ = "appointment_answer"

    appointment_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    answer: Mapped[AnswerKind] = mapped_column(enum_type(AnswerKind, "answer_kind"))
    answered_at: Mapped[datetime]
