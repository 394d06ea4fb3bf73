"""Which drugs a nurse knows, and a guard that refuses others once anybody is written down for a drug."""

import sqlalchemy as sa
from alembic import op

from migrations import booking_rules, guards

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

NAME = "nurse_has_skill"
_COLUMNS = ("course_id", "starts_at", "ends_at")
_RULES = (
    "chair_is_clean",
    "nurse_has_room",
    "nurse_may_start",
    "nurse_is_on_duty",
    "nurse_has_no_break",
    "site_is_open",
    "day_is_open",
    "clinician_is_present",
    "patient_can_come",
)


def upgrade() -> None:
    op.create_table(
        "nurse_skill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_nurse_skill_correction_says_why")
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_nurse_skill_skill_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_nurse_skill_clinic_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_nurse_skill_staff_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_nurse_skill_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["nurse_skill.id"], name=op.f("fk_nurse_skill_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nurse_skill")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_nurse_skill_supersedes_id")),
    )
    op.create_index(op.f("ix_nurse_skill_clinic_id_drug_name"), "nurse_skill", ["clinic_id", "drug_name"], unique=False)
    guards.append_only(["nurse_skill"])
    if guards.is_sqlite():
        guards.never_replaced("nurse_skill", [("supersedes_id", "")], ["INSERT"])
    # Whoever writes down a skill holds the nurse, and so does whoever books her. Whoever takes over a patient who is
    # there already is not asked, as for the other rules about nurses (0041).
    booking_rules.join(
        NAME,
        _unskilled(),
        others=_RULES,
        holds="staff WHERE id = NEW.nurse_id",
        columns=_COLUMNS,
        not_once_there=["nurse_id"],
    )


def downgrade() -> None:
    booking_rules.leave(NAME, others=_RULES)
    op.drop_table("nurse_skill")


# --- the guard -------------------------------------------------------------------------------------------------------


def _unskilled() -> str:
    """Somebody is written down for the drug of the course on that day, and the nurse is not."""
    drug = """
        SELECT d.name FROM course k JOIN order_version v ON v.order_id = k.order_id
        JOIN terms m ON m.id = v.terms_id JOIN drug d ON d.id = m.drug_id
        WHERE k.id = NEW.course_id AND v.signature_id IS NOT NULL ORDER BY v.number DESC LIMIT 1
    """
    known = """
        SELECT 1 FROM nurse_skill x WHERE x.clinic_id = NEW.clinic_id AND x.drug_name = t.drug
        AND x.valid_from <= t.day AND (x.valid_until IS NULL OR x.valid_until >= t.day)
        AND NOT x.is_void AND NOT EXISTS (SELECT 1 FROM nurse_skill later WHERE later.supersedes_id = x.id)
    """
    return f"""
        SELECT 1 FROM (SELECT {booking_rules.day_of_the_wall("NEW.starts_at")} AS day, ({drug}) AS drug) t
        WHERE NEW.nurse_id IS NOT NULL AND EXISTS ({known}) AND NOT EXISTS ({known} AND x.staff_id = NEW.nurse_id)
    """
