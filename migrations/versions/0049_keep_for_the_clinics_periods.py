"""A clinic says how long it keeps what; a record can be held; what is technical may go when its time is over."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_PERIOD, _HOLD, _MESSAGE = "retention_period", "legal_hold", "outbox_message"
_CLASSES = ("record", "trail", "register", "messages", "sign-ins", "links", "keys")
_SENT_WORDS = ("to_address", "subject", "body")


def _recorded(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{table}_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        _PERIOD,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("retention_class", *_CLASSES), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("unit", _enum("retention_unit", "days", "years"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_retention_period_period_is_positive")),
        sa.CheckConstraint("(number IS NULL) = (unit IS NULL)", name=op.f("ck_retention_period_period_has_unit")),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_retention_period_period_says_why")),
        *_recorded(_PERIOD),
    )
    op.create_table(
        _HOLD,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_legal_hold_hold_says_why")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_legal_hold_patient_id")),
        *_recorded(_HOLD),
    )
    op.create_index(op.f("ix_legal_hold_patient_id"), _HOLD, ["patient_id"])
    guards.append_only([_PERIOD, _HOLD])
    # A sign-in that has ended may go; one that is open may not.
    _drop("never_deleted_login_session", "login_session")
    guards.refuse("never_deleted_login_session", "login_session", "DELETE", "OLD.ended_at IS NULL")
    # What a mail said may go, with its address, and never become something else.
    for column in _SENT_WORDS:
        _guard_words(column, f" AND NEW.{column} IS NOT NULL")


def downgrade() -> None:
    for column in _SENT_WORDS:
        _guard_words(column, "")
    _drop("never_deleted_login_session", "login_session")
    guards.refuse("never_deleted_login_session", "login_session", "DELETE")
    op.drop_table(_HOLD)
    op.drop_table(_PERIOD)


def _guard_words(column: str, unless: str) -> None:
    name = f"ended_{_MESSAGE}_{column}"
    _drop(name, _MESSAGE)
    guards.refuse(name, _MESSAGE, f"UPDATE OF {column}", f"OLD.state IN ('sent', 'cancelled'){unless}")


def _drop(name: str, table: str) -> None:
    op.execute(f"DROP TRIGGER {name}" if guards.is_sqlite() else f"DROP TRIGGER {name} ON {table}")
