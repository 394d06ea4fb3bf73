"""Somebody at a browser who means no good: knows the addresses and forms that pages show, and nothing of the code."""

import re
from collections import Counter, deque
from urllib.parse import urlsplit

import requests

from tests.sweep.pages import Reader
from tests.sweep.posting import filled

KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Signing out and locking end the walk; the way to a calendar is walked by what reads calendars.
NOT_FOLLOWED = ("/logout", "/lock", "/static/")
SECONDS = 30


class Attacker:
    """One browser at one server."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.pages, self.forms = {}, []

    def get(self, path, **kwargs):
        return self.session.get(self.server + path, allow_redirects=False, timeout=SECONDS, **kwargs)

    def read(self, path):
        """A page with its links and forms; it may be led on."""
        answer = self.session.get(self.server + path, timeout=SECONDS)
        return answer, Reader(urlsplit(answer.url).path, answer.text)

    def send(self, path, data=None, **kwargs):
        return self.session.post(self.server + path, data=data, allow_redirects=False, timeout=SECONDS, **kwargs)

    def sign_in(self, email, password, **extra):
        _, page = self.read("/login")
        form = next(form for form in page.forms if form.action.startswith("/login") and "password" in form.names)
        token = next(field.value for field in form.fields if field.name == "csrf_token")
        return self.send("/login", {"csrf_token": token, "email": email, "password": password, **extra})

    def submit(self, form, values=None, **kwargs):
        """Send a form as its page drew it, with its own token and key, and with other values."""
        drawn = {field.name: field.value for field in form.fields if field.name in {"csrf_token", "idempotency_key"}}
        return self.send(path_in(form.action), {**drawn, **filled(form), **(values or {})}, **kwargs)

    def walk(self, each=1):
        """Open what pages link to, breadth first: at most `each` addresses of one shape."""
        waiting, seen, shapes = deque(["/"]), set(), Counter()
        while waiting:
            path = path_in(waiting.popleft())
            shape = KEY.sub("*", path).partition("?")[0]
            if path in seen or path.startswith(NOT_FOLLOWED) or shapes[shape] >= each:
                continue
            seen.add(path)
            shapes[shape] += 1
            answer = self.get(path)
            if answer.is_redirect:
                waiting.appendleft(answer.headers["Location"])
            elif answer.status_code == 200:
                page = Reader(path, answer.text if "html" in answer.headers["Content-Type"] else "")
                self.pages[path] = answer
                self.forms += [form for form in page.forms if form.method == "post"]
                waiting.extend(link for link in page.links if urlsplit(link).netloc in {"", self.host})
        return self

    @property
    def host(self):
        return urlsplit(self.server).netloc

    def fresh(self, form):
        """The same form drawn anew, with a token and a key that count; None when its page shows it no more."""
        _, page = self.read(form.page)
        return next((one for one in page.forms if one.action == form.action and one.names == form.names), None)


def path_in(address):
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
