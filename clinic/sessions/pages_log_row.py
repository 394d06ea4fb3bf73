"""One line of a session's table, and what every kind of entry says about itself when it was corrected."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clinic.sessions.progress import Correctable, current


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the table; with a `title` it is no set of vitals and its columns stay empty."""

    at: datetime
    by: str
    recorded_at: datetime
    title: str = ""
    bp: str | None = None
    hr: int | None = None
    rr: int | None = None
    spo2: int | None = None
    sedation: str | None = None
    pain: int | None = None
    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    note: str = ""
    late: bool = False
    struck: bool = False
    entry_id: uuid.UUID | None = None
    # The row that it shows and, while that one stands, as what it is corrected on a page of its own.
    row_id: uuid.UUID | None = None
    corrected_as: str = ""
    # Notes that stand in a row of vitals: (key, author, what is corrected).
    attached: tuple[tuple[uuid.UUID, uuid.UUID, str], ...] = ()
    author_id: uuid.UUID | None = None
    # Outside a limit, and nobody has been told.
    is_untold: bool = False
    # An act at the pump whose reason is still to follow.
    unexplained_id: uuid.UUID | None = None


class Entry(Correctable, Protocol):
    """A row of the record that may say why it was corrected."""

    @property
    def correction_reason(self) -> str | None: ...


def struck_ids(rows: Sequence[Correctable]) -> set[uuid.UUID]:
    """Return the ids of the rows that stand no longer."""
    stand = {row.id for row in current(rows)}
    return {row.id for row in rows if row.id not in stand}


def correction(row: Entry) -> str:
    """What a correcting or withdrawn row says about itself."""
    if row.is_void:
        return f"Withdrawn: {sentence(row.correction_reason)}"
    return f"Corrected: {sentence(row.correction_reason)}" if row.supersedes_id else ""


def sentence(text: str | None) -> str:
    """Return a text that ends in one full stop."""
    return f"{(text or '').rstrip('.')}."


def joined(*parts: str | None) -> str:
    """Return what there is of some texts as one."""
    return " ".join(part for part in parts if part)
