"""Take the lock of a shared tablet off with a PIN, and let people who signed in there take turns."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bedside_pin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("pin_hash LIKE '$argon2id$%'", name=op.f("ck_bedside_pin_is_hashed")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_bedside_pin_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bedside_pin")),
    )
    one = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_bedside_pin_one_per_person",
        "bedside_pin",
        ["staff_id"],
        unique=True,
        sqlite_where=one,
        postgresql_where=one,
    )
    guards.never_deleted(["bedside_pin"])
    guards.refuse("removed_pin_stays", "bedside_pin", "UPDATE", "OLD.removed_at IS NOT NULL")
    guards.refuse("pin_is_made_anew", "bedside_pin", "UPDATE OF staff_id, pin_hash, created_at")
    op.add_column("login_session", sa.Column("device_hash", sa.String(64), nullable=True))
    op.add_column("login_session", sa.Column("pin_wrong", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_login_session_device_hash", "login_session", ["device_hash"])
    # Wrong tries are never forgotten, a sign-in never moves to another device or person, and one that ended stays so.
    guards.refuse(
        "pin_tries_only_go_on",
        "login_session",
        "UPDATE OF pin_wrong",
        "NEW.pin_wrong < OLD.pin_wrong OR NEW.pin_wrong > 5",
    )
    guards.refuse(
        "sign_in_stays_at_its_device", "login_session", "UPDATE OF device_hash", "OLD.device_hash IS NOT NULL"
    )
    guards.refuse("sign_in_stays_its_persons", "login_session", "UPDATE OF staff_id, clinic_id, started_at")
    guards.refuse("ended_sign_in_stays", "login_session", "UPDATE OF ended_at", "OLD.ended_at IS NOT NULL")


_ON_SIGN_INS = (
    "pin_tries_only_go_on",
    "sign_in_stays_at_its_device",
    "sign_in_stays_its_persons",
    "ended_sign_in_stays",
)


def downgrade() -> None:
    table = "" if guards.is_sqlite() else " ON login_session"
    for trigger in _ON_SIGN_INS:
        op.execute(f"DROP TRIGGER {trigger}{table}")
    op.drop_index("ix_login_session_device_hash", table_name="login_session")
    op.drop_column("login_session", "pin_wrong")
    op.drop_column("login_session", "device_hash")
    op.drop_table("bedside_pin")
