"""Addresses from which a calendar program reads appointments, and what a clinic lets calendars tell."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_TABLE = "calendar_feed"
_LIVE = sa.text("revoked_at IS NULL")
_WHOSE = (
    "(kind IN ('nurse', 'physician') AND staff_id IS NOT NULL AND chair_id IS NULL AND patient_id IS NULL)"
    " OR (kind = 'chair' AND chair_id IS NOT NULL AND staff_id IS NULL AND patient_id IS NULL)"
    " OR (kind = 'patient' AND patient_id IS NOT NULL AND staff_id IS NULL AND chair_id IS NULL)"
)
_UNIQUE = {"live_staff": ["clinic_id", "staff_id", "kind"], "live_chair": ["chair_id"], "live_patient": ["patient_id"]}


def upgrade() -> None:
    name = op.f("ck_clinic_calendars_tell")
    op.execute(
        f"ALTER TABLE clinic ADD COLUMN calendars_tell VARCHAR(40) CONSTRAINT {name} "
        "CHECK (calendars_tell IN ('nothing', 'initials', 'names'))"
    )
    for column in ("calendars_tell_drug", "calendars_tell_place"):
        op.add_column("clinic", sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "nurse",
                "physician",
                "chair",
                "patient",
                name="feed_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("chair_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_WHOSE, name=op.f("ck_calendar_feed_feed_is_of_one")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by_id IS NULL)", name=op.f("ck_calendar_feed_revoked_by_somebody")
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_calendar_feed_{column}"))
            for column, target in {
                "clinic_id": "clinic.id",
                "staff_id": "staff.id",
                "chair_id": "chair.id",
                "patient_id": "patient.id",
                "issued_by_id": "staff.id",
                "revoked_by_id": "staff.id",
            }.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    for short, columns in _UNIQUE.items():
        op.create_index(
            f"uq_calendar_feed_{short}", _TABLE, columns, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        )
    guards.never_deleted([_TABLE])
    guards.fixed(
        _TABLE, ["clinic_id", "kind", "staff_id", "chair_id", "patient_id", "token_hash", "issued_at", "issued_by_id"]
    )
    # A revoked address stays so.
    guards.refuse("revoked_calendar_feed_stays", _TABLE, "UPDATE OF revoked_at", "OLD.revoked_at IS NOT NULL")
    if guards.is_sqlite():
        live = [(", ".join(columns), "revoked_at IS NULL") for columns in _UNIQUE.values()]
        guards.never_replaced(_TABLE, [("id", ""), ("token_hash", ""), *live], ["INSERT"])


def downgrade() -> None:
    for short in _UNIQUE:
        op.drop_index(f"uq_calendar_feed_{short}", table_name=_TABLE)
    op.drop_table(_TABLE)
    for column in ("calendars_tell_place", "calendars_tell_drug", "calendars_tell"):
        op.drop_column("clinic", column)
