"""A version of a protocol is reviewed before it is in use; every step of it keeps who took it and why.

A clinic may decide that another physician than the author signs a version into use. At most one version of a protocol
is in use, and neither a version in use nor a retired one goes back: the database judges both.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_VERSION, _STEP = "protocol_version", "protocol_step"
_BEFORE, _NOW = ("draft", "active", "retired"), ("draft", "review", "active", "retired")
_IN_USE = "status = 'active'"
_UNIQUES = (("id", ""), ("protocol_id, number", ""), ("terms_id", ""))
_FINAL = "protocol_version_status"


def _states(name: str, states: Iterable[str]) -> sa.Enum:
    return sa.Enum(*states, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        _STEP,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", _states("from_status", _NOW), nullable=True),
        sa.Column("to_status", _states("to_status", _NOW), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "reason IS NOT NULL OR NOT (to_status = 'retired' OR (from_status = 'review' AND to_status = 'draft'))",
            name=op.f("ck_protocol_step_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_protocol_step_clinic_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_protocol_step_protocol_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_protocol_step_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_step")),
    )
    op.create_index(op.f("ix_protocol_step_protocol_version_id"), _STEP, ["protocol_version_id"], unique=False)
    guards.append_only([_STEP])
    check = f"CONSTRAINT {op.f('ck_clinic_protocol_approver')} CHECK (protocol_approver IN ('any', 'another'))"
    op.execute(f"ALTER TABLE clinic ADD COLUMN protocol_approver VARCHAR(40) {check}")
    _allow(_NOW)
    op.create_index(
        "uq_protocol_version_one_in_use",
        _VERSION,
        ["protocol_id"],
        unique=True,
        sqlite_where=sa.text(_IN_USE),
        postgresql_where=sa.text(_IN_USE),
    )
    _never_replaced((*_UNIQUES, ("protocol_id", _IN_USE)))
    guards.refuse(
        _FINAL,
        _VERSION,
        "UPDATE OF status",
        "(OLD.status = 'retired' AND NEW.status <> 'retired') "
        "OR (OLD.status = 'active' AND NEW.status IN ('draft', 'review'))",
    )


def downgrade() -> None:
    _drop_trigger(_FINAL)
    op.drop_index("uq_protocol_version_one_in_use", table_name=_VERSION)
    _never_replaced(_UNIQUES)
    op.execute(f"UPDATE {_VERSION} SET status = 'draft' WHERE status = 'review'")
    _allow(_BEFORE)
    op.drop_column("clinic", "protocol_approver")
    op.drop_index(op.f("ix_protocol_step_protocol_version_id"), table_name=_STEP)
    op.drop_table(_STEP)


def _allow(states: Iterable[str]) -> None:
    """Let a version stand in these states. SQLite rebuilds the table, which drops its triggers: they are put back."""
    words = ", ".join(f"'{state}'" for state in states)
    name, check = op.f("ck_protocol_version_protocol_status"), f"status IN ({words})"
    if not guards.is_sqlite():
        op.drop_constraint(name, _VERSION, type_="check")
        op.create_check_constraint(name, _VERSION, check)
        return
    kept = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name ORDER BY rowid")
    triggers = op.get_bind().execute(kept, {"name": _VERSION}).scalars().all()
    with op.batch_alter_table(_VERSION, recreate="always") as batch:
        batch.create_check_constraint(op.f("ck_protocol_version_number_is_positive"), "number > 0")
        batch.create_check_constraint(name, check)
    for trigger in triggers:
        op.execute(trigger)


def _never_replaced(uniques: Iterable[tuple[str, str]]) -> None:
    if guards.is_sqlite():
        for event in ("insert", "update"):
            _drop_trigger(f"never_replaced_{_VERSION}_{event}")
        guards.never_replaced(_VERSION, uniques, ("INSERT", "UPDATE"))


def _drop_trigger(name: str) -> None:
    op.execute(f"DROP TRIGGER {name}" if guards.is_sqlite() else f"DROP TRIGGER {name} ON {_VERSION}")
