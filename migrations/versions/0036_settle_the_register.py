"""What becomes of a discrepancy, count sheets, preparations, and who witnesses in a clinic."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_WRITTEN_ONCE = ("stock_count", "preparation", "discrepancy_step")
_POINTERS = (
    ("register_entry", "stock_count_id", "stock_count"),
    ("register_entry", "preparation_id", "preparation"),
    ("administration_event", "preparation_id", "preparation"),
    ("discrepancy", "register_id", "register"),
)


def upgrade() -> None:
    _create_stock_count()
    _create_preparation()
    _create_discrepancy_step()
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    for table, column, target in _POINTERS:
        name = f"fk_{table}_{column}"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {key} CONSTRAINT {name} REFERENCES {target} (id)")
    # Nobody decided it yet: nurses and physicians witness, a withdrawal needs no witness.
    roles = "'nurse', 'physician', 'scheduler', 'admin'"
    check = f"CONSTRAINT ck_clinic_witness_role CHECK (witness_role IN ({roles}))"
    op.execute(f"ALTER TABLE clinic ADD COLUMN witness_role VARCHAR(40) {check}")
    op.add_column("clinic", sa.Column("is_withdrawal_witnessed", sa.Boolean(), nullable=True))
    guards.append_only(_WRITTEN_ONCE)
    if guards.is_sqlite():
        guards.never_replaced("preparation", [("clinic_id, code", "")], ("INSERT",))
        guards.never_replaced("discrepancy_step", [("discrepancy_id, number", "")], ("INSERT",))


def downgrade() -> None:
    for table, column, _ in _POINTERS:
        op.drop_column(table, column)
    for column in ("witness_role", "is_withdrawal_witnessed"):
        op.drop_column("clinic", column)
    for table in _WRITTEN_ONCE:
        op.drop_table(table)


def _create_stock_count() -> None:
    op.create_table(
        "stock_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("cabinet_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "shift",
                "daily",
                "initial inventory",
                "biennial inventory",
                name="count_purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "taken",
            sa.Enum("opening", "close", name="taken_at", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("witness_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("witness_id <> recorded_by_id", name=op.f("ck_stock_count_two_people_count")),
        sa.CheckConstraint(
            "purpose NOT IN ('initial inventory', 'biennial inventory') OR taken IS NOT NULL",
            name=op.f("ck_stock_count_inventory_says_when_in_the_day"),
        ),
        sa.ForeignKeyConstraint(["cabinet_id"], ["cabinet.id"], name=op.f("fk_stock_count_cabinet_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_stock_count_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_stock_count_recorded_by_id")),
        sa.ForeignKeyConstraint(["witness_id"], ["staff.id"], name=op.f("fk_stock_count_witness_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
    )


def _create_preparation() -> None:
    amount = sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql")
    op.create_table(
        "preparation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("bag", "syringe", name="preparation_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("amount_mg", amount, nullable=False),
        sa.Column("volume_ml", amount, nullable=False),
        sa.Column("diluent", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beyond_use_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_mg > 0 AND volume_ml > 0", name=op.f("ck_preparation_something_was_made")),
        sa.CheckConstraint("beyond_use_at > made_at", name=op.f("ck_preparation_it_lasts_after_it_is_made")),
        sa.CheckConstraint("checked_by_id <> recorded_by_id", name=op.f("ck_preparation_another_person_checks")),
        sa.ForeignKeyConstraint(["account_id"], ["drug_account.id"], name=op.f("fk_preparation_account_id")),
        sa.ForeignKeyConstraint(["checked_by_id"], ["staff.id"], name=op.f("fk_preparation_checked_by_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_preparation_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_preparation_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preparation")),
        sa.UniqueConstraint("clinic_id", "code", name=op.f("uq_preparation_clinic_id_code")),
    )
    op.create_index(op.f("ix_preparation_account_id"), "preparation", ["account_id"], unique=False)


def _create_discrepancy_step() -> None:
    op.create_table(
        "discrepancy_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("discrepancy_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "investigating",
                "resolved",
                "reported",
                "reopened",
                name="step_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "cause",
            sa.Enum(
                "missed waste",
                "prime volume",
                "wrong count",
                "spill",
                "overfill",
                "entry error",
                "suspected diversion",
                "other",
                name="discrepancy_cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind NOT IN ('resolved', 'reported') OR (cause IS NOT NULL AND second_id IS NOT NULL)",
            name=op.f("ck_discrepancy_step_two_people_close_with_a_cause"),
        ),
        sa.CheckConstraint("second_id <> recorded_by_id", name=op.f("ck_discrepancy_step_second_is_another_person")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_discrepancy_step_clinic_id")),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["discrepancy.id"], name=op.f("fk_discrepancy_step_discrepancy_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_discrepancy_step_recorded_by_id")),
        sa.ForeignKeyConstraint(["second_id"], ["staff.id"], name=op.f("fk_discrepancy_step_second_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy_step")),
        sa.UniqueConstraint("discrepancy_id", "number", name=op.f("uq_discrepancy_step_discrepancy_id_number")),
    )
