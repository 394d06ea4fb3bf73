"""SQL of a booking rule that joins the others: a guard of appointments, and the clinic's word on overriding it.

Stable building blocks for revisions, as those of `guards.py`.
"""

from collections.abc import Sequence

from alembic import op

from migrations import guards

HOLDING = "('booked', 'arrived', 'fulfilled')"


def join(
    name: str,
    query: str,
    *,
    others: Sequence[str],
    holds: str,
    columns: Sequence[str],
    not_once_there: Sequence[str] = (),
) -> None:
    """Refuse an appointment that takes its place, or another one, while the query finds a row.

    `holds` is what the guard holds on PostgreSQL before it looks, so that it sees what others committed; who writes
    what the rule reads holds the same. A change of the `not_once_there` columns is judged of booked appointments alone.
    """
    _allow(others, (*others, name))
    query = _unless_overridden(name, query)
    if not guards.is_sqlite():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM 1 FROM {holds} FOR NO KEY UPDATE; "
            f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{name}', "
            f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}'; END IF; RETURN NEW; END $$"
        )
    changed = " OR ".join(
        [
            f"OLD.status NOT IN {HOLDING}",
            *(f"(OLD.status = 'booked' AND {guards.distinct(column)})" for column in not_once_there),
            *map(guards.distinct, columns),
        ]
    )
    for end, event, condition in (
        ("insert", "INSERT", f"NEW.status IN {HOLDING}"),
        (
            "update",
            f"UPDATE OF status, {', '.join([*not_once_there, *columns])}",
            f"NEW.status IN {HOLDING} AND ({changed})",
        ),
    ):
        act = (
            f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS ({query}); END"
            if guards.is_sqlite()
            else f"EXECUTE FUNCTION {name}()"
        )
        op.execute(f"CREATE TRIGGER {name}_{end} BEFORE {event} ON appointment FOR EACH ROW WHEN ({condition}) {act}")


def leave(name: str, *, others: Sequence[str]) -> None:
    """Undo `join`; what was said about the rule goes as well, because no check would let it stay."""
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER {name}_insert")
        op.execute(f"DROP TRIGGER {name}_update")
        op.execute("DROP TRIGGER never_deleted_booking_policy")
    else:
        op.execute(f"DROP FUNCTION {name}() CASCADE")
        op.execute("ALTER TABLE booking_policy DISABLE TRIGGER never_deleted_booking_policy")
    op.execute(f"DELETE FROM booking_policy WHERE rule = '{name}'")
    if guards.is_sqlite():
        guards.refuse("never_deleted_booking_policy", "booking_policy", "DELETE")
    else:
        op.execute("ALTER TABLE booking_policy ENABLE TRIGGER never_deleted_booking_policy")
    _allow((*others, name), others)


def _allow(was: Sequence[str], now: Sequence[str]) -> None:
    """Let the clinic's word be about these rules."""

    def listed(rules: Sequence[str]) -> str:
        return f"({', '.join(repr(rule) for rule in rules)})"

    if guards.is_sqlite():
        # Guards of other tables name this one, and would be asked about it while it is away.
        op.execute("PRAGMA legacy_alter_table=ON")
        guards.rebuild("booking_policy", (f"rule IN {listed(was)}", f"rule IN {listed(now)}"))
        op.execute("PRAGMA legacy_alter_table=OFF")
    else:
        constraint = "ck_booking_policy_booking_rule"
        op.execute(f"ALTER TABLE booking_policy DROP CONSTRAINT {constraint}")
        op.execute(f"ALTER TABLE booking_policy ADD CONSTRAINT {constraint} CHECK (rule IN {listed(now)})")


def _unless_overridden(name: str, query: str) -> str:
    """The query, silent where the appointment names the rule and the clinic's last word on it allows that."""
    return f"""
        SELECT 1 WHERE EXISTS ({query}) AND NOT (
            COALESCE(NEW.override_rules, '') LIKE '% {name} %' AND COALESCE((
                SELECT p.is_allowed FROM booking_policy p WHERE p.clinic_id = NEW.clinic_id AND p.rule = '{name}'
                ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1
            ), FALSE)
        )
    """


def offset(instant: str) -> str:
    """The minutes by which the clinic's wall is ahead of UTC at an instant; NULL where nobody has said."""
    return (
        "(SELECT o.minutes FROM clock_offset o JOIN clinic c ON c.zone = o.zone "
        f"WHERE c.id = NEW.clinic_id AND o.starts_at <= {instant} AND o.ends_at > {instant})"
    )


def day_of_the_wall(instant: str) -> str:
    """The date on the clinic's wall at an instant."""
    if guards.is_sqlite():
        return f"date({instant}, {offset(instant)} || ' minutes')"
    return f"(({instant} AT TIME ZONE 'UTC') + {offset(instant)} * interval '1 minute')::date"
