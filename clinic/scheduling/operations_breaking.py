"""What a change would leave outside the clinic's rules, or take from another's change, is shown before it is saved."""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy.exc import InvalidRequestError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.scheduling.models import Appointment, Chair, Shift


class WouldBreak(RuleBroken):
    """A change would leave appointments outside; `standing` are these, `key` names them on the form that comes again.

    Nothing is moved and nothing cancelled: the appointments stay where they stand until a person moves them.
    """

    def __init__(self, standing: Sequence[Appointment]) -> None:
        """Keep the appointments, so that the page can show each."""
        count = f"{len(standing)} appointments" if len(standing) > 1 else "1 appointment"
        super().__init__(f"{count} would stand outside. Look at them, then save once more, or move them first.")
        self.standing = list(standing)
        self.key = seen_key(standing)


def seen_key(standing: Sequence[Appointment]) -> str:
    """A short name of exactly these appointments at these times."""
    lines = sorted(f"{each.id} {each.version}" for each in standing)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def refuse_unseen(standing: Sequence[Appointment], seen: str | None) -> None:
    """Raise `WouldBreak` unless the person saw exactly these appointments before."""
    if standing and seen != seen_key(standing):
        raise WouldBreak(standing)


class StandsInTheWay(RuleBroken):
    """Something cannot go while appointments hold it; `standing` are these."""

    def __init__(self, what: str, standing: Sequence[Appointment]) -> None:
        """Keep the appointments, so that the page can show each."""
        count = f"{len(standing)} appointments hold" if len(standing) > 1 else "1 appointment holds"
        super().__init__(f"{count} {what}. Move {'them' if len(standing) > 1 else 'it'} first.")
        self.standing = list(standing)


def edition(row: Chair | Shift, names: Collection[str]) -> str:
    """What a row holds under these names as one text, another one after every change."""
    return "/".join(str(getattr(row, name)) for name in names)


def refuse_other_edition(row: Chair | Shift, names: Collection[str], drawn: str | None) -> None:
    """Raise Conflict when the row, read again and held, is not what the form was drawn from. None asks nothing."""
    try:
        db.session.refresh(row, [*names], with_for_update={"key_share": True})
    except InvalidRequestError as gone:
        raise RuleBroken("This was removed meanwhile.") from gone
    if drawn and drawn != edition(row, names):
        raise Conflict("Somebody else changed this since you opened it. Nothing of yours was saved.")
