"""Keep what was signed from being reopened, moved to another clinic or replaced.

A signed note could be put back to draft by one statement and rewritten by the next. A row could be carried to another
clinic. And on SQLite a connection that is not ours, which runs no delete triggers for INSERT OR REPLACE, could put
another row in the place of one that is never deleted.
"""

from collections.abc import Iterable

from alembic import op

from migrations import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What a state may not go back from, as (name, table, columns, when).
_FINAL = (
    (
        "signed_note_status",
        "note",
        "status",
        (
            "(OLD.status <> 'draft' AND NEW.status IN ('draft', 'discarded') AND NEW.status <> OLD.status) "
            "OR (OLD.status = 'cosigned' AND NEW.status <> 'cosigned')"
        ),
    ),
    (
        "signed_order_version_status",
        "order_version",
        "status",
        "OLD.signature_id IS NOT NULL AND NEW.status IN ('draft', 'pending-signature')",
    ),
    (
        "closed_infusion_session_status",
        "infusion_session",
        "status",
        (
            "OLD.status IN ('closed-home', 'closed-transfer', 'closed-against-advice', 'not-done') "
            "AND NEW.status <> OLD.status"
        ),
    ),
)
# What stays as it was when a note has its second signature.
_COSIGNED = ("cosigner_id", "cosigned_at")
_OF_ONE_CLINIC = (
    "site",
    "staff_role",
    "drug",
    "protocol",
    "protocol_version",
    "infusion_order",
    "order_version",
    "course",
    "chair",
    "shift",
    "appointment",
    "container",
    "drug_account",
    "infusion_session",
    "note",
)
# Sealed with the terms that they hang on; on PostgreSQL the whole table could be emptied.
_OF_TERMS = ("observation_phase", "order_limit", "prn_item", "check_item")
_CONTAINER = ("drug_name", "strength_mg_ml", "size_ml", "lot", "received_at")

_ONE_IN_FORCE = "status IN ('active', 'on-hold')"
_HOLDS_A_PLACE = "status IN ('booked', 'arrived', 'fulfilled')"
_FIRST_START = "kind = 'start' AND supersedes_id IS NULL"
# Rows that change but stay, and what is unique in them; a condition stands where only some rows count.
_LASTING = {
    "clinic": [("name", "")],
    "site": [("clinic_id, name", "")],
    "staff": [("email", "")],
    "patient": [("clinic_id, mrn", "")],
    "drug": [("clinic_id, name, product", "")],
    "protocol": [("clinic_id, name", "")],
    "protocol_version": [("protocol_id, number", ""), ("terms_id", "")],
    "terms": [],
    "infusion_order": [],
    "order_version": [("order_id, number", ""), ("terms_id", ""), ("order_id", _ONE_IN_FORCE)],
    "course": [("order_id", ""), ("patient_id, number", "")],
    "chair": [("site_id, name", "")],
    "appointment": [("course_id, session_number", _HOLDS_A_PLACE), ("moved_from_id", "")],
    "container": [],
    "drug_account": [],
    "infusion_session": [("appointment_id", ""), ("drug_account_id", "")],
    "note": [],
}
# Rows that are written once; a guard against their own key stands already.
_WRITTEN_ONCE = {
    "signature": [("subject_id, signer_id, meaning", "")],
    "administration_event": [("supersedes_id", ""), ("infusion_id, order_version_id", _FIRST_START)],
    "discharge": [("infusion_id", "")],
    "observation_not_done": [("infusion_id, due_at", "")],
    **{
        table: [("supersedes_id", "")]
        for table in (
            "allergy",
            "consent",
            "screening_answer",
            "weight",
            "chair_closure",
            "adverse_event",
            "discharge_assessment",
            "gate_answer",
            "observation_set",
            "outcome_result",
            "prn_dose",
            "session_event",
        )
    },
}


def upgrade() -> None:
    for name, table, column, when in _FINAL:
        guards.refuse(name, table, f"UPDATE OF {column}", when)
    for column in _COSIGNED:
        when = f"OLD.status = 'cosigned' AND {guards.distinct(column)}"
        guards.refuse(f"cosigned_note_{column}", "note", f"UPDATE OF {column}", when)
    for table in _OF_ONE_CLINIC:
        guards.fixed(table, ["clinic_id"])
    guards.fixed("container", _CONTAINER)
    for table in _OF_TERMS:
        guards.refuse_truncate(table)
    if guards.is_sqlite():
        for table, uniques in _LASTING.items():
            guards.never_replaced(table, [("id", ""), *uniques], ("INSERT", "UPDATE"))
        for table, uniques in _WRITTEN_ONCE.items():
            guards.never_replaced(table, uniques, ("INSERT",))


def downgrade() -> None:
    if guards.is_sqlite():
        for table in _LASTING:
            _drop([f"never_replaced_{table}_insert", f"never_replaced_{table}_update"], table)
        for table in _WRITTEN_ONCE:
            _drop([f"never_replaced_{table}_insert"], table)
    else:
        for table in _OF_TERMS:
            _drop([f"keep_{table}_whole"], table)
    _drop((f"fixed_container_{column}" for column in _CONTAINER), "container")
    for table in _OF_ONE_CLINIC:
        _drop([f"fixed_{table}_clinic_id"], table)
    _drop((f"cosigned_note_{column}" for column in _COSIGNED), "note")
    for name, table, _, _ in _FINAL:
        _drop([name], table)


def _drop(triggers: Iterable[str], table: str) -> None:
    for trigger in triggers:
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON {table}")
