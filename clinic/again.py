"""A save that met a sign-in which had ended, or a locked screen: the password is asked for, and nothing is lost.

A nurse may look at a flowsheet for half an hour and then save. The page that answers her keeps what she typed in hidden
fields, asks for her password or passkey and sends everything again. It shows nothing of what was typed, because
somebody else may stand there now; and it takes no other person's, because an entry belongs to who made it.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request, session
from flask.typing import ResponseReturnValue

from clinic.accounts import asking, current, factors, operations, passkeys, queries
from clinic.accounts.models import LoginSession, Staff
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.requests import installation_secrets, is_secret

FIELD = "password_to_go_on"
CODE_FIELD = "code_to_go_on"
# What a passkey answered; a name that ends like this is never kept, shown or hashed (core/requests.py).
PASSKEY_FIELD = "passkey_to_go_on_secret"
# Not kept: the token is drawn anew, and secrets are asked for again by the page they belong to.
_DROPPED = frozenset({"csrf_token", FIELD, CODE_FIELD})


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to a save that cannot go on."""

    answer: ResponseReturnValue


def go_on() -> Refused | None:
    """Let the save go on when its author's password came with it; otherwise give the page that asks for it."""
    author = current.actor() if current.is_signed_in() else _author()
    password, code = request.form.get(FIELD, ""), request.form.get(CODE_FIELD, "")
    error = None
    answer = request.form.get(PASSKEY_FIELD, "")
    if author is not None and (password or code or answer):
        try:
            if answer:
                _open_by_passkey(author, answer)
            else:
                _open(author, password, code)
        except RuleBroken as refusal:
            error = refusal.message
        else:
            return None
    kept = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if author is not None and name not in _DROPPED and not is_secret(name)
    ]
    page = render_template(
        "accounts/go_on.html",
        author=author,
        kept=kept,
        field=FIELD,
        asks_password=not current.is_signed_in() or current.is_locked(),
        asks_code=author is not None
        and (current.is_factor_due() or (not current.is_signed_in() and factors.has_factor(author.id))),
        code_field=CODE_FIELD,
        passkey_field=PASSKEY_FIELD,
        takes_passkey_here=author is not None and factors.has_passkey(author.id) and current.party() is not None,
        error=error,
        address=request.full_path.rstrip("?"),
        is_locked=current.is_signed_in(),
    )
    return Refused((page, 401))


def _author() -> Staff | None:
    """Whose sign-in the cookie names, although it has ended by itself."""
    token = session.get("_user_id")
    return queries.author_of(token) if isinstance(token, str) else None


def _open(author: Staff, password: str, code: str) -> None:
    at = clock.now()
    if current.is_signed_in():
        login = current.signed_in().login
        if current.is_locked():
            operations.unlock(login, password, by=author, at=at)
        if login.is_factor_due:
            factors.give(code, login=login, by=author, secrets=installation_secrets(), at=at)
        return
    handed_path = queries.handed_path_of(session.get("_user_id"))
    login, token = operations.sign_in(
        author.email, password, address=request.remote_addr, browser=request.user_agent.string or None, at=at
    )
    if login.is_factor_due:
        factors.give(code, login=login, by=author, secrets=installation_secrets(), at=at)
    _begin(login, token, handed_path, at=at)


def _begin(login: LoginSession, token: str, handed_path: str | None, *, at: datetime) -> None:
    if handed_path is not None:  # the tablet is still in the patient's hands
        operations.hand_tablet(login, handed_path, at=at)
    db.session.flush()  # the sign-in is read anew
    current.begin(token)


def _open_by_passkey(author: Staff, answer: str) -> None:
    """The author's passkey is both factors: it unlocks, stands for the code, or begins a sign-in."""
    at = clock.now()
    handed_path = queries.handed_path_of(session.get("_user_id"))
    asked = asking.asked(asking.PROVE)
    if current.is_signed_in():
        login = current.signed_in().login
        passkeys.open_again(login, answer, asked=asked, by=author, at=at)
        return
    login, token = passkeys.sign_in(
        answer,
        asked=asked,
        address=request.remote_addr,
        browser=request.user_agent.string or None,
        at=at,
        only=author,
    )
    _begin(login, token, handed_path, at=at)
