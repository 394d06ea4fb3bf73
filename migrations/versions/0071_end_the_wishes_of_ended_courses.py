"""Wishes of courses that were over before wishes ended with their course: they were hidden, and waited on.

They end with the review that ended the course; nobody took them off the list, so nobody is named.
"""

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

REASON = "The course is over."
_OVER = "('completed', 'revoked', 'entered-in-error')"


def upgrade() -> None:
    # A wish that was noted after the review, or whose course was ended without one, ends when it was noted.
    op.execute(
        f"""
        UPDATE waiting_entry SET status = 'withdrawn', ended_reason = '{REASON}', version = version + 1,
            ended_at = COALESCE((
                SELECT max(r.decided_at) FROM course_review r WHERE r.course_id = waiting_entry.course_id
                AND r.to_status IN {_OVER} AND r.decided_at >= waiting_entry.recorded_at
            ), recorded_at)
        WHERE status = 'waiting' AND course_id IN (SELECT c.id FROM course c WHERE c.status IN {_OVER})
        """
    )


def downgrade() -> None:
    """They stay ended: nothing tells them from those that ended with their course."""
