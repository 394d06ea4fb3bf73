"""Keep the words of a screening question as they were written.

An answer of the record means what its question said on that day: another text would change every answer to it.
"""

from alembic import op

from migrations import guards

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WORDS = ("drug_name", "text")


def upgrade() -> None:
    guards.fixed("screening_question", _WORDS)


def downgrade() -> None:
    for column in _WORDS:
        trigger = f"fixed_screening_question_{column}"
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON screening_question")
