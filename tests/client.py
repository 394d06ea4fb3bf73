"""A test client that looks at every page it is given."""

import re
import uuid
from collections import Counter
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from clinic.accounts import operations
from clinic.accounts.models import Staff
from clinic.core import clock, db

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# HTML lets these end with whatever follows.
MAY_STAY_OPEN = {"p", "li", "dt", "dd", "option", "td", "th", "tr", "thead", "tbody", "html", "body", "head"}
NAMELESS_INPUTS = {"hidden", "submit", "button", "reset", "image"}


def words(markup: str) -> str:
    """What a person reads on a page and what its attributes carry, without addresses and keys made by chance."""
    return re.sub(r'<meta[^>]*>|<input type="hidden"[^>]*>|\s(?:href|src|action|id|for|name)="[^"]*"', " ", markup)


class Page(HTMLParser):
    """What the audit needs to know of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open_tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"h1": [], "title": []}
        self.ids: Counter[str] = Counter()
        self.label_targets: set[str] = set()
        self.references: list[tuple[str, str]] = []
        self.inputs: list[tuple[dict[str, str | None], bool]] = []
        self.forms: list[tuple[dict[str, str | None], list[str | None]]] = []
        self.faults: list[str] = []
        self.is_whole = False
        self.patient = ""
        self.feed(markup)
        self.close()
        self._leave_open([tag for tag, _ in self.open_tags])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.is_whole = self.is_whole or tag == "html"
        self.patient = values.get("data-patient-name") or self.patient
        if values.get("id"):
            self.ids[str(values["id"])] += 1
        if tag in self.texts:
            self.texts[tag].append("")
        if tag == "label" and values.get("for"):
            self.label_targets.add(str(values["for"]))
        for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            self.references += [(attribute, name) for name in (values.get(attribute) or "").split()]
        if tag in {"input", "select", "textarea"}:
            inside_a_label = any(name == "label" for name, _ in self.open_tags)
            self.inputs.append((values, inside_a_label))
            if self.forms and any(name == "form" for name, _ in self.open_tags):
                self.forms[-1][1].append(values.get("name"))
        if tag == "form":
            self.forms.append((values, []))
        if tag == "img" and "alt" not in values:
            self.faults.append(f"an image without alt: {values.get('src')}")
        if tag not in VOID:
            self.open_tags.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _ in self.open_tags]
        if tag not in names:
            self.faults.append(f"</{tag}> closes nothing")
            return
        place = len(names) - 1 - names[::-1].index(tag)
        self._leave_open(names[place + 1 :])
        del self.open_tags[place:]

    def _leave_open(self, names: list[str]) -> None:
        self.faults += [f"<{name}> is never closed" for name in names if name not in MAY_STAY_OPEN]

    def handle_data(self, data: str) -> None:
        for tag, _ in self.open_tags:
            if tag in self.texts:
                self.texts[tag][-1] += data
                break


def audit(markup: str) -> list[str]:
    """What is wrong with a page; for a fragment only what can be judged without the page around it."""
    page = Page(markup)
    faults = list(page.faults)
    faults += [f"the id {name} stands {count} times" for name, count in page.ids.items() if count > 1]
    faults += [
        f"an input without a label: {values.get('name')}"
        for values, wrapped in page.inputs
        if not _is_named(page, values, wrapped=wrapped)
    ]
    for values, fields in page.forms:
        if (values.get("method") or "get").lower() != "post":
            continue
        if not values.get("action"):
            faults.append("a form that posts without an action")
        if "csrf_token" not in fields:
            faults.append(f"a form without its token: {values.get('action')}")
    if page.is_whole:
        faults += [
            f"{attribute} points at a missing id: {name}" for attribute, name in page.references if name not in page.ids
        ]
        faults += _heading_faults(page)
    return faults


def _is_named(page: Page, values: dict[str, str | None], *, wrapped: bool) -> bool:
    if values.get("type") in NAMELESS_INPUTS or wrapped:
        return True
    return bool(values.get("aria-label") or values.get("aria-labelledby") or values.get("id") in page.label_targets)


def _heading_faults(page: Page) -> list[str]:
    headings = [" ".join(text.split()) for text in page.texts["h1"]]
    titles = [" ".join(text.split()) for text in page.texts["title"][:1]]
    if len(headings) != 1:
        return [f"{len(headings)} main headings: {headings}"]
    if page.patient and titles:
        # A browser writes titles into its history, on the disk.
        return [f"the title names the patient: {name}" for name in page.patient.split(", ") if name in titles[0]]
    subject = titles[0].split(" · ")[0].removeprefix("Error: ") if titles else ""
    # A page about a patient without the bar: its title is the heading without the name, which may be all of it.
    is_without_the_name = subject == "Patient" or (
        bool(subject) and headings[0].startswith((f"{subject} of ", f"{subject}, "))
    )
    if not titles or (headings[0] not in titles[0] and not is_without_the_name):
        return [f"the title {titles} does not hold the heading {headings[0]!r}"]
    return []


class AuditingClient(FlaskClient):
    """Asks like a browser and refuses a page with a fault, whatever the test is about.

    A POST gets the form token and the key of a fresh form unless the test gives its own.
    """

    def sign_in(self, staff: Staff, clinic_id: uuid.UUID | None = None) -> None:
        """Let this browser be signed in as a person, without the sign-in page."""
        with db.unit_of_work():
            _, token = operations.open_login(
                staff, clinic_id or db.current_clinic_id(), address="127.0.0.1", browser="Test", at=clock.now()
            )
        with self.session_transaction() as cookie:
            cookie.clear()
            cookie["_user_id"] = token
            cookie["_fresh"] = True

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if kwargs.get("method") == "POST" and isinstance(kwargs.get("data") or {}, dict):
            given = kwargs.get("data") or {}
            kwargs["data"] = {"csrf_token": self._token(), "idempotency_key": uuid.uuid4().hex, **given}
        # A request settles its own clinic and leaves it settled; the test goes on in the one it had.
        clinic_id = db.settled_clinic_id()
        try:
            response = super().open(*args, **kwargs)
        finally:
            db.enter_clinic(clinic_id)
        if response.mimetype == "text/html" and response.data:
            faults = audit(response.get_data(as_text=True))
            assert not faults, f"{response.request.path}: {faults}"
        return response

    def sign_as_read(self, address: str, act: str | None = None, **data: str) -> TestResponse:
        """Open a page and post the form on it that signs, which brings back the hash of what the page showed."""
        form = self.get(address).get_data(as_text=True)
        act = act or f"{address}/sign"
        form = form[form.index(f'action="{act}"') :]
        found = re.search(r'name="seen" value="([^"]*)"', form)
        return self.post(act, data={"seen": found[1] if found else "", **data})

    def _token(self) -> str:
        """A form token that belongs to this browser's cookie."""
        with self.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", uuid.uuid4().hex)
        return str(URLSafeTimedSerializer(str(self.application.secret_key), salt="wtf-csrf-token").dumps(raw))
