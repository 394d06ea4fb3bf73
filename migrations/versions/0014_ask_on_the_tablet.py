"""The clinic's own short forms, answers given on the clinic's tablet, and what the clinic calls a response.

A result belongs either to an instrument that is shipped or to a version of a form of the clinic's. A sign-in whose
tablet is in a patient's hands answers under one address alone.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_RESULT = "outcome_result"
_CHECK = "CONSTRAINT ck_outcome_result_belongs_to_one_measure CHECK ((instrument IS NULL) <> (form_id IS NULL))"
# Where SQLite's definition of the table takes a further constraint.
_NEIGHBOUR = "CONSTRAINT pk_outcome_result PRIMARY KEY (id)"
_OPEN = "instrument VARCHAR(40)"
_MADE = ("outcome_form", "answer_sheet", "responder_rule")


def _quantity() -> sa.types.TypeEngine[object]:
    return sa.BigInteger().with_variant(sa.Numeric(18, 2), "postgresql")


def _recorded(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.add_column("login_session", sa.Column("handed_path", sa.Text(), nullable=True))
    _create_form()
    _create_sheet()
    _create_rule()
    guards.append_only(_MADE)
    if guards.is_sqlite():
        guards.never_replaced("outcome_form", [("series_id, number", "")], ("INSERT",))
    _widen_result()


def _create_form() -> None:
    op.create_table(
        "outcome_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=True),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column(
            "scoring",
            sa.Enum(
                "total",
                "mean",
                "result",
                name="scoring",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("least_answers", sa.Integer(), nullable=True),
        sa.Column("lowest", _quantity(), nullable=True),
        sa.Column("highest", _quantity(), nullable=True),
        sa.Column(
            "better",
            sa.Enum("lower", "higher", name="better", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        *_recorded("outcome_form"),
        sa.UniqueConstraint("series_id", "number", name=op.f("uq_outcome_form_series_id_number")),
    )


def _create_sheet() -> None:
    op.create_table(
        "answer_sheet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=True),
        sa.Column(
            "occasion",
            sa.Enum(
                "baseline",
                "before-session",
                "after-session",
                "diary",
                "follow-up",
                name="occasion",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("measures", sa.JSON(), nullable=False),
        *_recorded("answer_sheet"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_answer_sheet_patient_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_answer_sheet_course_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_answer_sheet_infusion_id")),
    )
    op.create_index(op.f("ix_answer_sheet_course_id"), "answer_sheet", ["course_id"], unique=False)


def _create_rule() -> None:
    op.create_table(
        "responder_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=True),
        sa.Column("least_percent", sa.Integer(), nullable=True),
        sa.Column("reaches", _quantity(), nullable=True),
        sa.Column("within_days", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        *_recorded("responder_rule"),
        sa.CheckConstraint(
            "measure IS NULL OR least_percent IS NOT NULL OR reaches IS NOT NULL",
            name=op.f("ck_responder_rule_says_what_counts"),
        ),
    )


def _widen_result() -> None:
    """A result may name a form of the clinic's in place of an instrument; one of the two it always names."""
    for column, target in (("form_id", "outcome_form"), ("sheet_id", "answer_sheet")):
        kind = "CHAR(32)" if guards.is_sqlite() else "UUID"
        name = op.f(f"fk_{_RESULT}_{column}")
        op.execute(f"ALTER TABLE {_RESULT} ADD COLUMN {column} {kind} CONSTRAINT {name} REFERENCES {target} (id)")
    op.add_column(_RESULT, sa.Column("value", _quantity(), nullable=True))
    op.add_column(_RESULT, sa.Column("text", sa.Text(), nullable=True))
    op.create_index(op.f(f"ix_{_RESULT}_sheet_id"), _RESULT, ["sheet_id"], unique=False)
    if guards.is_sqlite():
        guards.rebuild(_RESULT, (f"{_OPEN} NOT NULL", _OPEN), (_NEIGHBOUR, f"{_NEIGHBOUR}, {_CHECK}"))
    else:
        op.alter_column(_RESULT, "instrument", nullable=True)
        op.execute(f"ALTER TABLE {_RESULT} ADD {_CHECK}")


def downgrade() -> None:
    if guards.is_sqlite():
        guards.rebuild(_RESULT, (_OPEN, f"{_OPEN} NOT NULL"), (f"{_NEIGHBOUR}, {_CHECK}", _NEIGHBOUR))
    else:
        op.execute(f"ALTER TABLE {_RESULT} DROP CONSTRAINT ck_outcome_result_belongs_to_one_measure")
        op.alter_column(_RESULT, "instrument", nullable=False)
    op.drop_index(op.f(f"ix_{_RESULT}_sheet_id"), table_name=_RESULT)
    for column in ("text", "value", "sheet_id", "form_id"):
        op.drop_column(_RESULT, column)
    op.drop_table("responder_rule")
    op.drop_index(op.f("ix_answer_sheet_course_id"), table_name="answer_sheet")
    op.drop_table("answer_sheet")
    op.drop_table("outcome_form")
    op.drop_column("login_session", "handed_path")
