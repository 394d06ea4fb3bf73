"""What an export holds: every table is named here, either with what of it leaves, or with the reason why it stays.

The rows of a clinic are found by its key. Those of a patient are the patient's own (`OWN`, each by the column that
leads to the patient), and what these mention (`MENTIONED`): the chair, the protocol, the name of whoever signed.
"""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.keeping.rows import tables

_AT_ONCE: Final = 500

# --- what stays behind -----------------------------------------------------------------------------------------------

NEVER: Final = {
    "idempotency_key": "proofs of saves that were answered, of use for some days",
    "login_failure": "wrong passwords of some minutes, kept as hashes",
    "login_session": "open sign-ins, which hold on the machine where they began",
    "invitation": "links that open an account",
    "authenticator": "secrets of second factors, sealed for one installation; they are added anew",
    "passkey": "what opens accounts of one installation, bound to its address; they are added anew",
    "provider_identity": "who people are at another sign-in; they connect it anew",
    "passkey_proof": "hashes of what passkeys proved, each for two minutes",
    "used_challenge": "hashes of the last minutes' challenges of passkeys",
    "bedside_pin": "hashes of PINs, which count at the devices of one installation; they are set anew",
    "recovery_code": "hashes of codes that open an account",
    "calendar_feed": "hashes of secret addresses; they are issued anew",
}
"""Tables that never leave, each with its reason: they open an account, or say nothing of the record."""

SECRET: Final = {"staff": frozenset({"password_hash"})}
"""Columns that never leave."""

_OF_THE_CLINIC: Final = (
    *("booking_policy", "cosign_rule", "lot_recall", "pump_closure", "referrer", "reminder_time", "reminder_text"),
    *("responder_rule", "closed_day", "opening_hours", "chair_closure", "protocol_step", "stock_count", "receipt"),
    *("clock_offset", "audit_chain", "month_plan", "retention_period", "legal_hold", "nurse_limit"),
    "order_cosign_rule",
)
_OF_THE_STAFF: Final = ("cover", "presence", "shift", "shift_break", "staff_role", "nurse_skill", "staff_credential")

NOT_OF_A_PATIENT: Final = {
    **dict.fromkeys(_OF_THE_CLINIC, "the clinic's own, not one patient's"),
    **dict.fromkeys(_OF_THE_STAFF, "the work of the staff"),
}
"""Tables that an export of the clinic holds and one of a patient does not, each with its reason."""

# --- what leaves -----------------------------------------------------------------------------------------------------

_INFUSION: Final = ("infusion_id", "infusion_session")
_ORDER: Final = ("order_version_id", "order_version")
_ACCOUNT: Final = ("account_id", "drug_account")
_PATIENT: Final = ("patient_id", "patient")

OWN: Final = {
    # Rows that name the patient themselves.
    **dict.fromkeys(
        (
            *("patient_identifier", "allergy", "weight", "medicine", "medicine_check", "screening_answer", "document"),
            *("consent", "mail_agreement", "infusion_order", "course", "appointment", "waiting_entry", "drug_account"),
            *("infusion_session", "verbal_order", "adverse_event", "note", "letter", "answer_sheet", "outcome_result"),
            *("signature", "disclosure", "audit_entry", "planned_session", "patient_hours", "referral"),
            *("chart_restriction", "chart_opening"),
        ),
        _PATIENT,
    ),
    # Rows of these.
    **dict.fromkeys(("order_version",), ("order_id", "infusion_order")),
    **dict.fromkeys(("order_draft", "order_error", "order_return", "acknowledged_excess"), _ORDER),
    **dict.fromkeys(("preparation", "register_entry", "discrepancy"), _ACCOUNT),
    **dict.fromkeys(
        (
            *("session_transition", "gate_answer", "rate_proposal", "double_check", "administration_event", "prn_dose"),
            *("observation_set", "observation_not_done", "session_event", "iv_record", "discharge_assessment"),
            *("discharge", "follow_up_call", "hand_over_offer", "order_adoption"),
        ),
        _INFUSION,
    ),
    "chart_team": ("restriction_id", "chart_restriction"),
    "opening_review": ("opening_id", "chart_opening"),
    "referral_verdict": ("referral_id", "referral"),
    "discrepancy_step": ("discrepancy_id", "discrepancy"),
    "course_review": ("course_id", "course"),
    "note_return": ("note_id", "note"),
    "appointment_answer": ("appointment_id", "appointment"),
    "outbox_message": ("about_id", "appointment"),
    "outbox_attempt": ("message_id", "outbox_message"),
    "audit_link": ("entry_id", "audit_entry"),
}
"""Rows of a patient: the table, and the column that names a row of another table which is the patient's."""

MENTIONED: Final = frozenset(
    {
        *("clinic", "staff", "site", "chair", "pump", "drug", "consent_form", "screening_question", "outcome_form"),
        *("protocol", "protocol_version", "terms", "lost_reason", "container", "register", "cabinet"),
    }
)
"""Rows of the clinic that a patient's rows name."""

PARTS: Final = dict.fromkeys(("check_item", "observation_phase", "order_limit", "prn_item"), ("terms_id", "terms"))
"""Rows that are parts of mentioned ones."""

OF_OTHERS: Final = {
    "staff": frozenset({"id", "title", "given_name", "family_name", "credentials"}),
    "clinic": frozenset({"id", "name", "zone"}),
}
"""What of a person and of the clinic is told with a patient's record."""

FILES: Final = {"document": "content"}
"""Columns that leave as a file of their own."""


def _portions(keys: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    """Some keys at a time: a statement takes only so many."""
    rest = iter(keys)
    while portion := list(islice(rest, _AT_ONCE)):
        yield portion


class Content:
    """What one export holds: tables, columns and rows."""

    left_out: dict[str, str]

    def __init__(self, session: Session) -> None:
        self._session = session

    def columns(self, table: sa.Table) -> list[str]:
        """The columns that leave."""
        return [column.name for column in table.columns if column.name not in SECRET.get(table.name, ())]

    def tables(self) -> list[sa.Table]:
        """The tables that leave, those that others name first."""
        return [table for table in tables() if table.name not in self.left_out]

    def rows(self, table: sa.Table) -> Iterator[sa.Row[Any]]:
        """The rows of a table, in the order of their keys, some at a time."""
        raise NotImplementedError

    def _asked(self, table: sa.Table) -> sa.Select[Any]:
        # What leaves as a file is large: it is asked for by itself.
        asked = (
            sa.null().label(name) if FILES.get(table.name) == name else table.c[name] for name in self.columns(table)
        )
        return sa.select(*asked).order_by(table.c.id)

    def file(self, table: sa.Table, key: uuid.UUID) -> bytes:
        """What leaves as a file, of one row."""
        content: bytes = self._session.execute(
            sa.select(table.c[FILES[table.name]]).where(table.c.id == key)
        ).scalar_one()
        return content


class WholeClinic(Content):
    """Everything of one clinic."""

    def __init__(self, session: Session, clinic_id: uuid.UUID) -> None:
        super().__init__(session)
        self._clinic_id = clinic_id
        self.left_out = NEVER

    def rows(self, table: sa.Table) -> Iterator[sa.Row[Any]]:
        asked = self._asked(table).where(self._is_ours(table)).execution_options(yield_per=_AT_ONCE)
        with self._session.execute(asked) as found:
            yield from found

    def _is_ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        if "clinic_id" in table.c:
            return table.c.clinic_id == self._clinic_id
        by_name = Content.tables(self)
        named = {each.name: each for each in by_name}
        match table.name:
            case "clinic" | "audit_chain":
                return table.c.id == self._clinic_id
            case "audit_link":
                return table.c.chain_id == self._clinic_id
            case "clock_offset":
                clinic = named["clinic"]
                return table.c.zone == sa.select(clinic.c.zone).where(clinic.c.id == self._clinic_id).scalar_subquery()
            case "staff":
                return table.c.id.in_(self._named_staff(by_name))
        raise LookupError(f"Nothing says which rows of {table.name} are a clinic's.")

    def _named_staff(self, exported: Iterable[sa.Table]) -> sa.CompoundSelect[Any]:
        """Whoever works here or is named by a row of the clinic."""
        return sa.union(
            *(
                sa.select(key.parent).where(self._is_ours(table))
                for table in exported
                for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
                if key.column.table.name == "staff"
            )
        )


class OnePatient(Content):
    """Everything about one patient."""

    def __init__(self, session: Session, patient_id: uuid.UUID) -> None:
        super().__init__(session)
        self.left_out = NEVER | NOT_OF_A_PATIENT
        self._tables = {table.name: table for table in self.tables()}
        self._keys: dict[str, set[uuid.UUID]] = {name: set() for name in self._tables}
        self._keys["patient"] = {patient_id}
        self._find(OWN)
        self._find_mentioned()
        self._find(PARTS)

    def columns(self, table: sa.Table) -> list[str]:
        told = OF_OTHERS.get(table.name)
        return [name for name in super().columns(table) if told is None or name in told]

    def rows(self, table: sa.Table) -> Iterator[sa.Row[Any]]:
        for keys in _portions(sorted(self._keys[table.name], key=lambda key: key.hex)):
            yield from self._session.execute(self._asked(table).where(table.c.id.in_(keys)))

    def _find(self, wanted: dict[str, tuple[str, str]]) -> None:
        for name, (column, of) in wanted.items():
            table = self._tables[name]
            for keys in _portions(self._keys[of]):
                self._keys[name].update(self._session.scalars(sa.select(table.c.id).where(table.c[column].in_(keys))))

    def _find_mentioned(self) -> None:
        """What rows name, from the last table to the first: those that name stand behind those that are named."""
        for table in reversed(self.tables()):
            for key in table.foreign_keys:
                named = key.column.table.name
                if named in MENTIONED and named != table.name:
                    for keys in _portions(self._keys[table.name]):
                        asked = sa.select(key.parent).where(table.c.id.in_(keys), key.parent.is_not(None)).distinct()
                        self._keys[named].update(self._session.scalars(asked))
