"""Messages that are written with the change that they tell of and sent after its commit, and the tries to send them."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_MESSAGE, _ATTEMPT = "outbox_message", "outbox_attempt"


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        _MESSAGE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("message_kind", "reminder", "appointment"), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state", _enum("message_state", "waiting", "sending", "sent", "given-up", "cancelled"), nullable=False
        ),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_address", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        *(
            sa.CheckConstraint(words, name=op.f(f"ck_{_MESSAGE}_{name}"))
            for name, words in {
                "sending_is_claimed": "(state = 'sending') = (claim IS NOT NULL)",
                "claim_has_a_time": "(claim IS NULL) = (claimed_at IS NULL)",
                "sent_has_a_time": "(state = 'sent') = (sent_at IS NOT NULL)",
                "end_says_why": "state NOT IN ('given-up', 'cancelled') OR state_reason IS NOT NULL",
                "tries_are_counted": "tries >= 0",
            }.items()
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{_MESSAGE}_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_MESSAGE}")),
        sa.UniqueConstraint("clinic_id", "once_key", name=op.f(f"uq_{_MESSAGE}_clinic_id_once_key")),
    )
    op.create_index(op.f(f"ix_{_MESSAGE}_state_next_try_at"), _MESSAGE, ["state", "next_try_at"], unique=False)
    op.create_index(op.f(f"ix_{_MESSAGE}_about_id"), _MESSAGE, ["about_id"], unique=False)
    op.create_table(
        _ATTEMPT,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            _enum("outcome", "sent", "refused", "deferred", "unreachable", "fault", "nothing-to-tell"),
            nullable=True,
        ),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f(f"ck_{_ATTEMPT}_outcome_has_a_time")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f(f"fk_{_ATTEMPT}_clinic_id")),
        sa.ForeignKeyConstraint(["message_id"], [f"{_MESSAGE}.id"], name=op.f(f"fk_{_ATTEMPT}_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_ATTEMPT}")),
        sa.UniqueConstraint("message_id", "number", name=op.f(f"uq_{_ATTEMPT}_message_id_number")),
    )
    op.create_index(op.f(f"ix_{_ATTEMPT}_message_id"), _ATTEMPT, ["message_id"], unique=False)
    _guard()


def _guard() -> None:
    guards.never_deleted([_MESSAGE, _ATTEMPT])
    guards.fixed(_MESSAGE, ["clinic_id", "kind", "about_id", "once_key", "created_at"])
    guards.fixed(_ATTEMPT, ["clinic_id", "message_id", "number", "started_at"])
    # What was sent or called off stays so, in the words in which it went out.
    ended = "OLD.state IN ('sent', 'cancelled')"
    for column in ("state", "to_address", "subject", "body", "sent_at"):
        guards.refuse(f"ended_{_MESSAGE}_{column}", _MESSAGE, f"UPDATE OF {column}", ended)
    if guards.is_sqlite():
        guards.never_replaced(_MESSAGE, [("id", ""), ("clinic_id, once_key", "")], ["INSERT"])
        guards.never_replaced(_ATTEMPT, [("id", ""), ("message_id, number", "")], ["INSERT"])


def downgrade() -> None:
    op.drop_table(_ATTEMPT)
    op.drop_table(_MESSAGE)
