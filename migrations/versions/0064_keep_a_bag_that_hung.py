"""The line of a bag or syringe that the pump ran from is not struck out while an entry of the pump names it."""

from alembic import op

from migrations import guards

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

NAME = "hung_bag_stays"
_HANGS = (
    "NEW.kind = 'strike' AND EXISTS (SELECT 1 FROM register_entry AS made "
    "JOIN administration_event AS hung ON hung.preparation_id = made.preparation_id "
    "WHERE made.id = NEW.about_id AND made.kind = 'prepare' AND NOT hung.is_void "
    "AND NOT EXISTS (SELECT 1 FROM administration_event AS later WHERE later.supersedes_id = hung.id))"
)


def upgrade() -> None:
    if guards.is_sqlite():
        guards.refuse(NAME, "register_entry", "INSERT", _HANGS)
        return
    op.execute(
        f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {_HANGS} THEN "
        f"RAISE EXCEPTION USING MESSAGE = '{NAME}', ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{NAME}';"
        " END IF; RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {NAME} BEFORE INSERT ON register_entry FOR EACH ROW EXECUTE FUNCTION {NAME}()")


def downgrade() -> None:
    op.execute(f"DROP TRIGGER {NAME}" if guards.is_sqlite() else f"DROP TRIGGER {NAME} ON register_entry")
    if not guards.is_sqlite():
        op.execute(f"DROP FUNCTION {NAME}()")
