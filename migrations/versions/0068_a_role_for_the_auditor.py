"""A role that reads who did what, and nothing else."""

from alembic import op

from migrations import guards

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

_OLD = "'nurse', 'physician', 'scheduler', 'admin'"
_NEW = f"{_OLD}, 'auditor'"


def upgrade() -> None:
    _set(_OLD, _NEW)


def downgrade() -> None:
    op.execute("DELETE FROM staff_role WHERE role = 'auditor'")
    _set(_NEW, _OLD)


def _set(old: str, new: str) -> None:
    if guards.is_sqlite():
        # Guards of appointments look up who is a nurse: without this, SQLite asks for the table while it has no name.
        op.execute("PRAGMA legacy_alter_table = ON")
        guards.rebuild("staff_role", (f"role IN ({old})", f"role IN ({new})"))
        op.execute("PRAGMA legacy_alter_table = OFF")
        return
    op.execute("ALTER TABLE staff_role DROP CONSTRAINT ck_staff_role_role")
    op.execute(f"ALTER TABLE staff_role ADD CONSTRAINT ck_staff_role_role CHECK (role IN ({new}))")
