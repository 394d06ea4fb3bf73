"""The rail: at most five entries for each person, from what the person may do."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from clinic.accounts.models import Staff
from clinic.core import clock
from clinic.core.permissions import Permission, Role
from clinic.notes.cosign_queries import sent_back_count
from clinic.notes.inbox import inbox_count


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One entry of the rail."""

    endpoint: str
    label: str
    icon: str
    current: bool
    count: int | None = None


_ENTRIES = (
    ("notes.show_inbox", "Inbox", "inbox", Permission.READ_INBOX),
    ("sessions.show_today", "Today", "today", Permission.READ_BOARD),
    ("scheduling.show_calendar", "Calendar", "calendar", Permission.READ_CALENDAR),
    ("notes.list_own_notes", "Notes", "pen", Permission.WRITE_NOTE),
    ("patients.list_patients", "Patients", "patients", Permission.SEARCH_PATIENTS),
    ("druglog.show_log", "Drug log", "drug_log", Permission.READ_DRUG_LOG),
    ("accounts.list_staff", "Staff", "staff", Permission.READ_STAFF),
    ("scheduling.list_hours", "Clinic", "clinic", Permission.SET_RESOURCES),
    ("accounts.show_trail", "Audit", "audit", Permission.READ_ACCOUNT_EVENTS),
    ("reports.show_whole_trail", "Records", "shield", Permission.READ_TRAIL),
)


def nav_entries(person: Staff, endpoint: str | None) -> list[NavEntry]:
    """The entries that this person may use, the own first page first; an area without pages has none."""
    home = home_endpoint(person)
    shown = [
        entry
        for entry in sorted(_ENTRIES, key=lambda entry: entry[0] != home)
        if person.may(entry[3]) and entry[0] in current_app.view_functions and not _is_in_the_inbox(person, entry[0])
    ]
    here = _entry_of(endpoint, [target for target, *_ in shown])
    return [
        NavEntry(
            target, label, icon, current=target == here, count=_COUNTS[target](person) if target in _COUNTS else None
        )
        for target, label, icon, _ in shown
    ]


# Pages that stand in one area's code and under another one's entry.
_AREAS = {"reports.show_drug_report": "druglog"}


def _entry_of(endpoint: str | None, targets: list[str]) -> str | None:
    """The entry that a page belongs to: its own, else the first of its area. A page of the bedside belongs to none."""
    area = _AREAS.get(endpoint or "", (endpoint or "").split(".")[0])
    same = [target for target in targets if target.split(".")[0] == area and area != "sessions"]
    return endpoint if endpoint in targets else next(iter(same), None)


_COUNTS: dict[str, Callable[[Staff], int]] = {
    "notes.show_inbox": lambda person: inbox_count(person, clock.now()),
    "notes.list_own_notes": lambda person: sent_back_count(person.id),
}


def _is_in_the_inbox(person: Staff, target: str) -> bool:
    """A physician's own notes come back to the inbox; the list has no entry of its own on that rail."""
    return target == "notes.list_own_notes" and person.may(Permission.READ_INBOX)


_HOMES = (
    (Role.NURSE, "sessions.show_today"),
    (Role.PHYSICIAN, "notes.show_inbox"),
    (Role.SCHEDULER, "scheduling.show_calendar"),
    (Role.ADMIN, "accounts.list_staff"),
    (Role.AUDITOR, "reports.show_whole_trail"),
)


def home_endpoint(person: Staff) -> str:
    """Where a person's day begins."""
    return next(
        (endpoint for role, endpoint in _HOMES if role in person.roles and endpoint in current_app.view_functions),
        "accounts.show_account",
    )
