"""Walks through the application as one person: every link that a page offers, and every form that it shows."""

from collections import Counter, deque
from contextlib import contextmanager
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException

from clinic.core import db
from tests.sweep.pages import Reader, path_of

# Signing out and locking are tested by themselves.
NOT_FOLLOWED = {"static", "accounts.end_login", "accounts.lock"}


class Crawl:
    """What one person reaches from the first page: `pages` by address, `forms` in the order of finding, `faults`."""

    def __init__(self, app, staff, *, each=2, states=None):
        self.app, self.staff, self.each = app, staff, each
        self.states = states or {}
        self.browser = app.test_client()
        if staff is not None:
            self.browser.sign_in(staff)
        self.router = app.url_map.bind("localhost")
        self.pages, self.forms, self.faults = {}, [], []
        self._asked = Counter()
        self._form_shapes = Counter()

    def endpoint(self, address, method="GET"):
        """The name of the page behind an address, or None."""
        try:
            return self.router.match(urlsplit(address).path, method=method)[0]
        except HTTPException:
            return None

    def sort(self, address):
        """What a page is one of: its endpoint and the states of the records that its address names."""
        try:
            endpoint, values = self.router.match(urlsplit(address).path, method="GET")
        except HTTPException:
            return None, ()
        return endpoint, tuple(self.states.get(str(value)) for value in values.values())

    def run(self, *starts):
        """Go breadth first from the first page; at most `each` addresses of one sort are opened."""
        waiting, seen = deque([("/", "the beginning"), *((start, "a start") for start in starts)]), set()
        while waiting:
            address, origin = waiting.popleft()
            path = path_of(address)
            if path is None or path in seen:
                continue
            seen.add(path)
            sort = self.sort(path)
            if sort[0] in NOT_FOLLOWED or self._asked[sort] >= self.each:
                continue
            self._asked[sort] += 1
            waiting.extend((link, path) for link in self._open(path, origin))
        return self

    def _open(self, path, origin):
        response = self.visit(path, origin)
        if response is None:
            return []
        if response.status_code in {301, 302, 303, 308}:
            return [response.headers["Location"]]
        if response.status_code != 200:
            self.faults.append(f"{path} from {origin}: {response.status_code}")
            return []
        page = Reader(path, response.get_data(as_text=True))
        self.pages[path] = (response, page)
        for form in page.forms:
            self._note(form)
        return page.links

    def visit(self, path, origin="a test"):
        """Ask for one address; an error that nobody caught is a fault of the page."""
        try:
            return self.browser.get(path)
        except Exception as error:  # noqa: BLE001 whatever it is, the person would see a failure
            self.faults.append(f"{path} from {origin}: {type(error).__name__}: {str(error)[:300]}")
            return None

    def _note(self, form):
        endpoint = self.endpoint(form.action, form.method.upper())
        if endpoint is None:
            self.faults.append(f"{form.page}: a form goes to {form.action}, which is nowhere")
            return
        access = getattr(self.app.view_functions[endpoint], "access", None)
        if self.staff is not None and hasattr(access, "name") and ":" in access.value and not self.staff.may(access):
            self.faults.append(f"{form.page}: a form goes to {endpoint}, which {self.staff.roles} may not use")
        shape = (endpoint, tuple(form.names))
        self._form_shapes[shape] += 1
        if endpoint not in NOT_FOLLOWED and self._form_shapes[shape] <= self.each:
            self.forms.append(form)

    def text(self):
        """Every answer's bytes as text, by address."""
        return {path: response.get_data(as_text=True) for path, (response, _) in self.pages.items()}


@contextmanager
def undone(connection):
    """Work in a session whose acts are forgotten at the end."""
    with connection.begin_nested() as savepoint:
        session = db.make_session(connection)
        session.join_transaction_mode = "create_savepoint"
        with db.using_session(session):
            yield session
        session.close()
        savepoint.rollback()
