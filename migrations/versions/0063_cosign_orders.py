"""An order may need a second physician's signature: who needs one, and whether it is used before, the clinic says."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_RULE = "order_cosign_rule"
_COLUMNS = ("cosign", "cosigner_id", "cosignature_id")
_IN_FORCE = "'active', 'on-hold', 'completed', 'superseded', 'stopped'"


def upgrade() -> None:
    op.create_table(
        _RULE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column(
            "cosign",
            sa.Enum("first", "later", name="order_cosign", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("cosigner_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_order_cosign_rule_reason_is_given")),
        sa.CheckConstraint("cosigner_id <> staff_id", name=op.f("ck_order_cosign_rule_cosigner_is_another")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_cosign_rule_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_order_cosign_rule_staff_id")),
        sa.ForeignKeyConstraint(["cosigner_id"], ["staff.id"], name=op.f("fk_order_cosign_rule_cosigner_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_order_cosign_rule_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_cosign_rule")),
    )
    guards.append_only([_RULE])
    _extend_versions()


def _extend_versions() -> None:
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    op.execute(
        "ALTER TABLE order_version ADD COLUMN cosign VARCHAR(40) CONSTRAINT order_cosign "
        "CHECK (cosign IN ('first', 'later'))"
    )
    op.execute(
        f"ALTER TABLE order_version ADD COLUMN cosigner_id {key} CONSTRAINT fk_order_version_cosigner_id "
        "REFERENCES staff (id)"
    )
    op.execute(
        f"ALTER TABLE order_version ADD COLUMN cosignature_id {key} CONSTRAINT fk_order_version_cosignature_id "
        "REFERENCES signature (id) CONSTRAINT ck_order_version_cosigned_before_use CHECK ("
        f"cosign IS NULL OR cosign <> 'first' OR cosignature_id IS NOT NULL OR status NOT IN ({_IN_FORCE}))"
    )
    for column in ("cosign", "cosigner_id"):
        guards.refuse(
            f"signed_order_version_{column}",
            "order_version",
            f"UPDATE OF {column}",
            f"OLD.signature_id IS NOT NULL AND {guards.distinct(column)}",
        )
    guards.refuse(
        "signed_order_version_cosignature_id",
        "order_version",
        "UPDATE OF cosignature_id",
        f"OLD.cosignature_id IS NOT NULL AND {guards.distinct('cosignature_id')}",
    )


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        trigger = f"signed_order_version_{column}"
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON order_version")
        op.drop_column("order_version", column)
    op.drop_table(_RULE)
