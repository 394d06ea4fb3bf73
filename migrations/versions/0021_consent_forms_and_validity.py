"""How long a screening answer is valid, the clinic's consent forms in their versions, and the patient's own signature.

A consent names the version of the form whose text was signed, and keeps what the patient drew or typed on the tablet.
"""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLE = "consent_form"
_UNIQUE = "uq_consent_form_clinic_id_drug_name_number"


def upgrade() -> None:
    op.add_column("screening_question", sa.Column("valid_days", sa.Integer(), nullable=True))
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=True),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_consent_form_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_consent_form_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_form")),
        sa.UniqueConstraint(
            "clinic_id", "drug_name", "number", name=op.f("uq_consent_form_clinic_id_drug_name_number")
        ),
    )
    guards.append_only([_TABLE])
    if guards.is_sqlite():
        guards.never_replaced(_TABLE, [("clinic_id, drug_name, number", "")], ("INSERT",))
    kind = "CHAR(32)" if guards.is_sqlite() else "UUID"
    name = op.f("fk_consent_form_id")
    op.execute(f"ALTER TABLE consent ADD COLUMN form_id {kind} CONSTRAINT {name} REFERENCES {_TABLE} (id)")
    op.add_column("consent", sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("consent", sa.Column("signed_name", sa.Text(), nullable=True))
    op.add_column("consent", sa.Column("signature_path", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("signature_path", "signed_name", "signed_at", "form_id"):
        op.drop_column("consent", column)
    op.drop_table(_TABLE)
    op.drop_column("screening_question", "valid_days")
