"""The register of controlled drugs and the drug account of a session."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "container",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("strength_mg_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("size_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_container_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_container")),
    )
    op.create_table(
        "drug_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_drug_account_clinic_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_drug_account_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drug_account")),
    )
    op.create_index(op.f("ix_drug_account_patient_id"), "drug_account", ["patient_id"], unique=False)
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("container_id", sa.Uuid(), nullable=True),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("amount_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["drug_account.id"], name=op.f("fk_discrepancy_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_discrepancy_clinic_id")),
        sa.ForeignKeyConstraint(["container_id"], ["container.id"], name=op.f("fk_discrepancy_container_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_discrepancy_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy")),
    )
    op.create_index(op.f("ix_discrepancy_account_id"), "discrepancy", ["account_id"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("container_id", sa.Uuid(), nullable=True),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "receive",
                "withdraw",
                "prepare",
                "give",
                "waste",
                "return",
                "transfer",
                "destroy",
                "count",
                "adjust",
                name="register_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("quantity_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("balance_after_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("witness_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind = 'adjust' OR quantity_mg >= 0", name=op.f("ck_register_entry_quantity_is_not_negative")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('waste', 'destroy', 'count', 'adjust') OR witness_id IS NOT NULL",
            name=op.f("ck_register_entry_waste_is_witnessed"),
        ),
        sa.CheckConstraint("balance_after_mg >= 0", name=op.f("ck_register_entry_balance_is_never_negative")),
        sa.CheckConstraint("witness_id <> recorded_by_id", name=op.f("ck_register_entry_witness_is_another_person")),
        sa.ForeignKeyConstraint(["account_id"], ["drug_account.id"], name=op.f("fk_register_entry_account_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_register_entry_clinic_id")),
        sa.ForeignKeyConstraint(["container_id"], ["container.id"], name=op.f("fk_register_entry_container_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_register_entry_recorded_by_id")),
        sa.ForeignKeyConstraint(["witness_id"], ["staff.id"], name=op.f("fk_register_entry_witness_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
    )
    op.create_index(op.f("ix_register_entry_account_id"), "register_entry", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_register_entry_container_id_happened_at"),
        "register_entry",
        ["container_id", "happened_at"],
        unique=False,
    )

    guards.append_only(["register_entry", "discrepancy"])
    guards.never_deleted(["container", "drug_account"])
    guards.fixed("drug_account", ["patient_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_register_entry_container_id_happened_at"), table_name="register_entry")
    op.drop_index(op.f("ix_register_entry_account_id"), table_name="register_entry")
    op.drop_table("register_entry")
    op.drop_index(op.f("ix_discrepancy_account_id"), table_name="discrepancy")
    op.drop_table("discrepancy")
    op.drop_index(op.f("ix_drug_account_patient_id"), table_name="drug_account")
    op.drop_table("drug_account")
    op.drop_table("container")
