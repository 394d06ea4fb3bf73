"""Decisions about calendar addresses on plain values: whose they are, what they tell, what became of an appointment."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clinic.core.sharing import TellsNames


class FeedKind(StrEnum):
    """Whose appointments a calendar address holds."""

    NURSE = "nurse"
    PHYSICIAN = "physician"
    CHAIR = "chair"
    PATIENT = "patient"


BACK: Final = timedelta(days=30)
AHEAD: Final = timedelta(days=400)
"""A calendar holds what lies between: enough for a year of courses, and never the whole history."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the life of an appointment: a move makes a new one that names the one before."""

    id: uuid.UUID
    moved_from_id: uuid.UUID | None
    version: int
    stamped_at: datetime


@dataclass(frozen=True, slots=True)
class Life:
    """The rows that are one appointment to whoever subscribed to it.

    `uid_of` never changes, `sequence` grows with every change of any of the rows, `last_id` is where it stands now.
    """

    uid_of: uuid.UUID
    last_id: uuid.UUID
    sequence: int
    stamped_at: datetime


def lives(rows: Iterable[Row]) -> dict[uuid.UUID, Life]:
    """Return the life that each row belongs to; all rows of a life must be given."""
    by_id = {row.id: row for row in rows}
    after = {row.moved_from_id: row for row in by_id.values() if row.moved_from_id in by_id}
    found: dict[uuid.UUID, Life] = {}
    for first in by_id.values():
        if first.moved_from_id in by_id:
            continue
        line = [first]
        while line[-1].id in after:
            line.append(after[line[-1].id])
        life = Life(first.id, line[-1].id, sum(row.version for row in line) - 1, max(row.stamped_at for row in line))
        found |= dict.fromkeys((row.id for row in line), life)
    return found


def shown(in_scope: Iterable[uuid.UUID], found: Mapping[uuid.UUID, Life]) -> dict[uuid.UUID, bool]:
    """Return the rows that a calendar shows, each with whether it stands elsewhere now.

    `in_scope` are the rows of this calendar, earliest made first. A life is shown once: where it stands now or, when
    that is not in this calendar (another chair), as its latest row here, which is then cancelled.
    """
    last: dict[uuid.UUID, uuid.UUID] = {}
    for row_id in in_scope:
        uid_of = found[row_id].uid_of
        if last.get(uid_of) != found[row_id].last_id:
            last[uid_of] = row_id
    return {row_id: row_id != found[row_id].last_id for row_id in last.values()}


def who(kind: FeedKind, tells: TellsNames | None, *, name: str, initials: str) -> str | None:
    """Return the words for the patient in a calendar, or None: nothing until the clinic says so.

    A patient's own calendar names nobody.
    """
    if kind is FeedKind.PATIENT or tells in {None, TellsNames.NOTHING}:
        return None
    return initials if tells is TellsNames.INITIALS else name
