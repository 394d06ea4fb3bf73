"""What a browser could do with a page: its links and its forms, as they were sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

UNSENT = {"submit", "button", "reset", "image"}


@dataclass
class Field:
    """One control of a form; `choices` are the values that it offers."""

    name: str
    kind: str
    value: str = ""
    choices: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A form as it was drawn; `fields` in the order of the page."""

    page: str
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    @property
    def drawn(self):
        """What is sent when nobody touches the form: what it holds already, without its token and key."""
        kept = {}
        for each in self.fields:
            if each.kind in {"checkbox", "radio"} and each.value == "":
                continue
            if each.name not in {"csrf_token", "idempotency_key"}:
                kept.setdefault(each.name, each.value)
        return kept

    @property
    def names(self):
        return list(dict.fromkeys(each.name for each in self.fields))

    def choices_of(self, name):
        return [choice for each in self.fields if each.name == name for choice in each.choices if choice]

    def kind_of(self, name):
        return next(each.kind for each in self.fields if each.name == name)


class Reader(HTMLParser):
    """Reads the links, the forms and the tags of a page."""

    def __init__(self, address, markup):
        super().__init__(convert_charrefs=True)
        self.address = address
        self.links, self.forms, self.text, self.tags = [], [], [], []
        self._by_id, self._elsewhere, self._select, self._area = {}, [], None, None
        self._inside = None
        self.feed(markup)
        self.close()
        for form_id, each in self._elsewhere:
            if form_id in self._by_id:
                self._by_id[form_id].fields.append(each)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if tag == "a" and "href" in values:
            self.links.append(urljoin(self.address, values["href"]))
        for name in ("data-refresh", "data-fragment", "data-source"):
            if values.get(name, "").startswith("/"):
                self.links.append(values[name])
        if tag == "form":
            self._inside = Form(
                self.address, urljoin(self.address, values.get("action", "")), values.get("method", "get").lower()
            )
            self.forms.append(self._inside)
            self._by_id[values.get("id")] = self._inside
        elif tag in {"input", "textarea", "select", "button"} and values.get("name"):
            self._add(tag, values)
        elif tag == "option" and self._select is not None:
            self._select.choices.append(values.get("value", ""))
            if "selected" in values:
                self._select.value = values.get("value", "")

    def _add(self, tag, values):
        kind = values.get("type", "text") if tag == "input" else tag
        kind = "number" if values.get("inputmode") in {"decimal", "numeric"} else kind
        made = Field(values["name"], kind, values.get("value", ""))
        if kind in {"checkbox", "radio"}:
            made.choices, made.value = [made.value or "on"], (made.value or "on") if "checked" in values else ""
        if tag == "button":
            made.choices, made.value = [made.value], ""
            made.kind = "radio"
        self._select = made if tag == "select" else None
        self._area = made if tag == "textarea" else None
        if values.get("form"):
            self._elsewhere.append((values["form"], made))
        elif self._inside is not None and kind not in UNSENT:
            self._inside.fields.append(made)

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = None
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._area = None

    def handle_data(self, data):
        self.text.append(data)
        if self._area is not None:
            self._area.value += data


def path_of(address):
    """The path and query of an address on this server; None for another server's."""
    parts = urlsplit(address)
    if parts.netloc not in {"", "localhost"} or parts.scheme not in {"", "http", "https"}:
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")
