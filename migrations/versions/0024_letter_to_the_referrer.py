"""A letter to the referrer: what the record of a course told on the day it was signed, and what its writer added."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TABLE = "letter"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("addressee", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_letter_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_letter_patient_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_letter_course_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_letter_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index(op.f("ix_letter_course_id"), _TABLE, ["course_id"], unique=False)
    op.create_index(op.f("ix_letter_patient_id"), _TABLE, ["patient_id"], unique=False)
    guards.append_only([_TABLE])


def downgrade() -> None:
    op.drop_index(op.f("ix_letter_patient_id"), table_name=_TABLE)
    op.drop_index(op.f("ix_letter_course_id"), table_name=_TABLE)
    op.drop_table(_TABLE)
