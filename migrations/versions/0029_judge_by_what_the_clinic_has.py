"""The database refuses what hours, people, cleaning and pumps do not allow, unless a rule is overridden."""

from alembic import op

from migrations import guards

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# The states in which an appointment takes its chair, its patient, its nurse and its pump.
HOLDING = "('booked', 'arrived', 'fulfilled')"
CHAIR = ("chair_id", "starts_at", "ends_at")
NURSE = ("nurse_id", "starts_at", "ends_at")
PUMP = ("pump_id", "starts_at", "ends_at")

# What is held while it is judged. Bookings share a site with each other; whoever changes its hours waits for them.
LOCKS = {
    "chair": "chair WHERE id = NEW.chair_id FOR NO KEY UPDATE",
    "site": "site WHERE id = (SELECT site_id FROM chair WHERE id = NEW.chair_id) FOR SHARE",
    "nurse": "staff WHERE id = NEW.nurse_id FOR NO KEY UPDATE",
    "pump": "pump WHERE id = NEW.pump_id FOR NO KEY UPDATE",
}


def upgrade() -> None:
    _drop_nurse_has_room()
    for name, (columns, lock, query, is_overridable) in _rules().items():
        _guard(name, columns, lock, _unless_overridden(name, query) if is_overridable else query)
    if guards.is_sqlite():
        _guard("no_overlap_for_pump", PUMP, "pump", OVERLAPS_FOR_PUMP)
        op.execute(
            "CREATE TRIGGER pump_is_free BEFORE INSERT ON pump_closure FOR EACH ROW WHEN NOT NEW.is_void "
            f"BEGIN SELECT RAISE(ABORT, 'pump_is_free') WHERE EXISTS ({PUMP_IN_USE}); END"
        )
        return
    op.execute(
        "ALTER TABLE appointment ADD CONSTRAINT no_overlap_for_pump EXCLUDE USING gist "
        "(uuid_range(pump_id, pump_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) "
        f"WHERE (status IN {HOLDING} AND pump_id IS NOT NULL)"
    )
    _function("pump_is_free", LOCKS["pump"], PUMP_IN_USE)
    op.execute(
        "CREATE TRIGGER pump_is_free BEFORE INSERT ON pump_closure FOR EACH ROW WHEN (NOT NEW.is_void) "
        "EXECUTE FUNCTION pump_is_free()"
    )


def downgrade() -> None:
    names = [name for name in _rules() if name != "nurse_has_room"]
    if guards.is_sqlite():
        for name in [*names, "no_overlap_for_pump"]:
            op.execute(f"DROP TRIGGER {name}_insert")
            op.execute(f"DROP TRIGGER {name}_update")
        op.execute("DROP TRIGGER pump_is_free")
    else:
        op.execute("ALTER TABLE appointment DROP CONSTRAINT no_overlap_for_pump")
        for name in [*names, "pump_is_free"]:
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    _drop_nurse_has_room()
    _guard("nurse_has_room", ("chair_id", *NURSE), "nurse", FULL_BEFORE)


def _drop_nurse_has_room() -> None:
    if guards.is_sqlite():
        op.execute("DROP TRIGGER nurse_has_room_insert")
        op.execute("DROP TRIGGER nurse_has_room_update")
    else:
        op.execute("DROP FUNCTION nurse_has_room() CASCADE")


# --- guards ----------------------------------------------------------------------------------------------------------


def _guard(name: str, columns: tuple[str, ...], lock: str, query: str) -> None:
    """Refuse an appointment that takes its place, or another one, while the query finds a row."""
    if not guards.is_sqlite():
        _function(name, LOCKS[lock], query)
    changed = " OR ".join([f"OLD.status NOT IN {HOLDING}", *map(guards.distinct, columns)])
    for end, event, condition in (
        ("insert", "INSERT", f"NEW.status IN {HOLDING}"),
        ("update", f"UPDATE OF status, {', '.join(columns)}", f"NEW.status IN {HOLDING} AND ({changed})"),
    ):
        act = (
            f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS ({query}); END"
            if guards.is_sqlite()
            else f"EXECUTE FUNCTION {name}()"
        )
        op.execute(f"CREATE TRIGGER {name}_{end} BEFORE {event} ON appointment FOR EACH ROW WHEN ({condition}) {act}")


def _function(name: str, lock: str, query: str) -> None:
    # It looks only once it holds the row that the others would need, so that it sees what they committed.
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM {lock}; "
        f"IF EXISTS ({query}) THEN RAISE EXCEPTION USING MESSAGE = '{name}', "
        f"ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}'; END IF; RETURN NEW; END $$"
    )


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


def _in_force(table: str, row: str) -> str:
    return f"NOT {row}.is_void AND NOT EXISTS (SELECT 1 FROM {table} later WHERE later.supersedes_id = {row}.id)"


# --- the clock on the wall -------------------------------------------------------------------------------------------


def _offset(instant: str) -> str:
    """The minutes by which the clinic's wall is ahead of UTC; NULL where nobody has said."""
    return (
        "(SELECT o.minutes FROM clock_offset o JOIN clinic c ON c.zone = o.zone "
        f"WHERE c.id = NEW.clinic_id AND o.starts_at <= {instant} AND o.ends_at > {instant})"
    )


def _plus(instant: str, minutes: str) -> str:
    """An instant so many minutes later, in the form in which instants are kept."""
    if guards.is_sqlite():
        return f"(strftime('%Y-%m-%d %H:%M:%f', {instant}, ({minutes}) || ' minutes') || '000')"
    return f"({instant} + ({minutes}) * interval '1 minute')"


def _wall(instant: str) -> str:
    if guards.is_sqlite():
        return f"datetime({instant}, {_offset(instant)} || ' minutes')"
    return f"(({instant} AT TIME ZONE 'UTC') + {_offset(instant)} * interval '1 minute')"


def _on_the_wall() -> str:
    """The site, the wall's day on which the appointment begins, and its seconds from that midnight."""
    start, end = _wall("NEW.starts_at"), _wall("NEW.ends_at")
    if guards.is_sqlite():
        day = f"date({start})"
        seconds = [f"CAST(strftime('%s', {each}) AS INTEGER)" for each in (start, end, day)]
        measures = f"{seconds[0]} - {seconds[2]} AS s, {seconds[1]} - {seconds[2]} AS e, date({day}, '+1 day') AS next"
    else:
        day = f"({start})::date"
        measures = (
            f"EXTRACT(EPOCH FROM {start} - {day}::timestamp) AS s, EXTRACT(EPOCH FROM {end} - {day}::timestamp) AS e, "
            f"{day} + 1 AS next"
        )
    return f"(SELECT ch.site_id AS site_id, {day} AS day, {measures} FROM chair ch WHERE ch.id = NEW.chair_id) t"


def _weekday(day: str) -> str:
    if guards.is_sqlite():
        return f"((CAST(strftime('%w', {day}) AS INTEGER) + 6) % 7 + 1)"
    return f"EXTRACT(ISODOW FROM {day})"


def _this_week(instant: str) -> str:
    """Whether an instant lies in the week, Monday to Sunday on the wall, in which the appointment begins."""
    ahead = f"COALESCE({_offset('NEW.starts_at')}, 0)"
    wall = _plus("NEW.starts_at", ahead)
    if guards.is_sqlite():
        monday = f"date({wall}, 'weekday 0', '-6 days')"
    else:
        monday = f"(date_trunc('week', {wall} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
    return f"{instant} >= {_plus(monday, f'-{ahead}')} AND {instant} < {_plus(monday, f'7 * 24 * 60 - {ahead}')}"


# --- the rules -------------------------------------------------------------------------------------------------------


def _rules() -> dict[str, tuple[tuple[str, ...], str, str, bool]]:
    """By name: the columns that take a place, what is held, what refuses, and whether it can be overridden."""
    return {
        "site_is_open": (CHAIR, "site", _outside_hours(), True),
        "day_is_open": (CHAIR, "site", _on_a_closed_day(), True),
        "clinician_is_present": (CHAIR, "site", _without_clinician(), True),
        "chair_is_clean": (CHAIR, "chair", _in_cleaning(), True),
        "nurse_has_room": (NURSE, "nurse", FULL, True),
        "nurse_may_start": (NURSE, "nurse", _too_many_starts(), True),
        "nurse_is_on_duty": (NURSE, "nurse", _off_duty(), True),
        "nurse_has_no_break": (NURSE, "nurse", IN_A_BREAK, True),
        "pump_is_in_service": (PUMP, "pump", PUMP_OUT_OF_SERVICE, False),
    }


def _outside_hours() -> str:
    def is_open(day: str, start: str, end: str) -> str:
        return (
            f"EXISTS (SELECT 1 FROM opening_hours h WHERE h.site_id = t.site_id AND h.weekday = {_weekday(day)} "
            f"AND h.valid_from <= {day} AND (h.valid_until IS NULL OR h.valid_until >= {day}) "
            f"AND h.from_min * 60 <= {start} AND h.until_min * 60 >= {end} AND {_in_force('opening_hours', 'h')})"
        )

    one_day = f"t.e <= 86400 AND {is_open('t.day', 't.s', 't.e')}"
    two_days = f"t.e > 86400 AND {is_open('t.day', 't.s', '86400')} AND {is_open('t.next', '0', 't.e - 86400')}"
    # A day that the clock cannot name is refused as well.
    return f"""
        SELECT 1 FROM {_on_the_wall()} WHERE EXISTS (
            SELECT 1 FROM opening_hours h WHERE h.site_id = t.site_id AND (t.day IS NULL OR h.valid_from <= t.day)
            AND {_in_force("opening_hours", "h")}
        ) AND NOT COALESCE(({one_day}) OR ({two_days}), FALSE)
    """


def _on_a_closed_day() -> str:
    return f"""
        SELECT 1 FROM {_on_the_wall()} JOIN closed_day x ON x.site_id = t.site_id
        WHERE {_in_force("closed_day", "x")} AND (
            t.day IS NULL
            OR (x.from_on <= t.day AND x.until_on >= t.day
                AND (x.from_min IS NULL OR (t.s < x.until_min * 60 AND t.e > x.from_min * 60)))
            OR (t.e > 86400 AND x.from_on <= t.next AND x.until_on >= t.next
                AND (x.from_min IS NULL OR t.e - 86400 > x.from_min * 60))
        )
    """


def _uncovered(table: str, whose: str) -> str:
    """Some instant of the appointment lies in none of the rows: its start, or where one of them ends inside it."""
    return f"""
        EXISTS (
            SELECT 1 FROM (
                SELECT NEW.starts_at AS instant
                UNION SELECT r.ends_at FROM {table} r
                WHERE {whose.format("r")} AND r.ends_at > NEW.starts_at AND r.ends_at < NEW.ends_at
            ) point
            WHERE NOT EXISTS (
                SELECT 1 FROM {table} q
                WHERE {whose.format("q")} AND q.starts_at <= point.instant AND q.ends_at > point.instant
            )
        )
    """


def _without_clinician() -> str:
    site = "(SELECT ch.site_id FROM chair ch WHERE ch.id = NEW.chair_id)"
    there = f"{{0}}.site_id = {site} AND {_in_force('presence', '{0}')}"
    return f"""
        SELECT 1 WHERE EXISTS (
            SELECT 1 FROM presence w WHERE {there.format("w")} AND {_this_week("w.starts_at")}
        ) AND {_uncovered("presence", there)}
    """


def _off_duty() -> str:
    return f"""
        SELECT 1 WHERE NEW.nurse_id IS NOT NULL AND EXISTS (
            SELECT 1 FROM shift w JOIN staff_role g ON g.staff_id = w.staff_id AND g.clinic_id = w.clinic_id
            WHERE w.clinic_id = NEW.clinic_id AND g.role = 'nurse' AND {_this_week("w.starts_at")}
        ) AND {_uncovered("shift", "{0}.clinic_id = NEW.clinic_id AND {0}.staff_id = NEW.nurse_id")}
    """


IN_A_BREAK = """
    SELECT 1 FROM shift_break b JOIN shift w ON w.id = b.shift_id
    WHERE w.clinic_id = NEW.clinic_id AND w.staff_id = NEW.nurse_id
    AND b.starts_at <= NEW.starts_at AND b.ends_at > NEW.starts_at
"""


def _in_cleaning() -> str:
    return f"""
        SELECT 1 FROM chair ch JOIN appointment b ON b.chair_id = ch.id
        WHERE ch.id = NEW.chair_id AND ch.cleaning_min > 0 AND b.status IN {HOLDING} AND b.id <> NEW.id
        AND ((b.starts_at >= NEW.ends_at AND b.starts_at < {_plus("NEW.ends_at", "ch.cleaning_min")})
            OR (b.ends_at <= NEW.starts_at AND {_plus("b.ends_at", "ch.cleaning_min")} > NEW.starts_at))
    """


def _limit(column: str, setting: str, instant: str) -> str:
    """The limit at an instant: of the shift where it has one, else the clinic's; NULL for none."""
    return (
        f"COALESCE((SELECT min(w.{column}) FROM shift w WHERE w.clinic_id = NEW.clinic_id "
        f"AND w.staff_id = NEW.nurse_id AND w.starts_at <= {instant} AND w.ends_at > {instant}), "
        f"(SELECT c.{setting} FROM clinic c WHERE c.id = NEW.clinic_id))"
    )


def _too_many_starts() -> str:
    def quarter(instant: str) -> str:
        if guards.is_sqlite():
            return f"(CAST(strftime('%s', {instant}) AS INTEGER) / 900)"
        return f"floor(EXTRACT(EPOCH FROM {instant}) / 900)"

    return f"""
        SELECT 1 WHERE {_limit("starts_per_quarter", "starts_per_nurse", "NEW.starts_at")} <= (
            SELECT count(*) FROM appointment b
            WHERE b.nurse_id = NEW.nurse_id AND b.status IN {HOLDING} AND b.id <> NEW.id
            AND b.starts_at > {_plus("NEW.starts_at", "-15")} AND b.starts_at < {_plus("NEW.starts_at", "15")}
            AND {quarter("b.starts_at")} = {quarter("NEW.starts_at")}
        )
    """


PATIENTS_THEN = f"""
    (SELECT count(*) FROM appointment b
    WHERE b.nurse_id = NEW.nurse_id AND b.status IN {HOLDING} AND b.id <> NEW.id
    AND b.starts_at <= point.instant AND b.ends_at > point.instant)
"""
STARTS_INSIDE = f"""
    SELECT NEW.starts_at AS instant
    UNION SELECT a.starts_at FROM appointment a
    WHERE a.nurse_id = NEW.nurse_id AND a.status IN {HOLDING} AND a.id <> NEW.id
    AND a.starts_at > NEW.starts_at AND a.starts_at < NEW.ends_at
"""
# Counted where the number can rise, at the start and at every start inside, and where the limit can fall, as a shift
# begins or ends.
FULL = f"""
    SELECT 1 FROM (
        {STARTS_INSIDE}
        UNION SELECT w.starts_at FROM shift w
        WHERE w.staff_id = NEW.nurse_id AND w.starts_at > NEW.starts_at AND w.starts_at < NEW.ends_at
        UNION SELECT w.ends_at FROM shift w
        WHERE w.staff_id = NEW.nurse_id AND w.ends_at > NEW.starts_at AND w.ends_at < NEW.ends_at
    ) point
    WHERE {_limit("patients_at_once", "patients_per_nurse", "point.instant")} <= {PATIENTS_THEN}
"""
# As it was: the clinic's limit alone.
FULL_BEFORE = f"""
    SELECT 1 FROM clinic c WHERE c.id = NEW.clinic_id AND c.patients_per_nurse IS NOT NULL
    AND c.patients_per_nurse <= (SELECT max({PATIENTS_THEN}) FROM ({STARTS_INSIDE}) point)
"""
PUMP_OUT_OF_SERVICE = f"""
    SELECT 1 FROM pump_closure x
    WHERE x.pump_id = NEW.pump_id AND x.starts_at < NEW.ends_at AND x.ends_at > NEW.starts_at
    AND {_in_force("pump_closure", "x")}
"""
PUMP_IN_USE = f"""
    SELECT 1 FROM appointment b
    WHERE b.pump_id = NEW.pump_id AND b.status IN {HOLDING}
    AND b.starts_at < NEW.ends_at AND b.ends_at > NEW.starts_at
"""
OVERLAPS_FOR_PUMP = f"{PUMP_IN_USE} AND b.id <> NEW.id"
