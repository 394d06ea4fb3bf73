"""What can go wrong, in words for the person who has to go on."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError


class RuleBroken(Exception):
    """A rule says no. The message tells the person what to do; `field` names the input it is about."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Conflict(Exception):
    """Somebody else changed the record since this page was drawn; both versions are shown side by side.

    `mine` and `theirs` are lines of (label, value); `mine_words` is the head of the first where nothing was typed. A
    view may add where the saved version is read (`saved_url`), and where what was typed can be sent again over it
    (`retry_url` with its fields).
    """

    heading = "Changed by someone else"
    mine_words: str | None = None
    saved_url: str | None = None
    retry_url: str | None = None
    retry_fields: Sequence[tuple[str, str]] = ()

    def __init__(
        self, what: str, *, mine: Sequence[tuple[str, str]] = (), theirs: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(what)
        self.what = what
        self.mine = list(mine)
        self.theirs = list(theirs)


class OtherPatient(Conflict):
    """A form that was drawn for another patient: two tabs, a wrong turn of the browser."""

    heading = "This form is for another patient"

    def __init__(self) -> None:
        super().__init__("Nothing was saved. Look whose record this is, open the right page and enter it again.")


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint that the database refused, the same on both databases.

    PostgreSQL names it in its diagnostics; our SQLite triggers raise it as their text, and SQLite's own messages are
    given back as they are.
    """
    diagnostics = getattr(error.orig, "diag", None)
    name = getattr(diagnostics, "constraint_name", None)
    if name:
        return str(name)
    text = str(error.orig)
    return text.rsplit(": ", maxsplit=1)[-1] if "constraint failed" in text else text
