"""Parses case files of schema infusion-cases/1 (domain/cases.yaml) into the parts of `parts.py`.

`read_cases` takes text, `read_file` a path. Anything wrong is one CaseFault: `file:line:column: C03.infusion[2]: to is
before from`. Keys that nobody knows are left aside with a warning of the same form; under `expect` all are kept.
Which spellings are accepted is listed in docs/cases.md and tried in tests/cases.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clinic.cases.course import read_course, read_gates, read_orders, read_patient
from clinic.cases.facts import PERSON
from clinic.cases.parts import Case, CaseFile, Expected, ExpectedScalar
from clinic.cases.reading import MAX_BYTES, CaseFault, Fields, Item, Source, read_root, shown
from clinic.cases.rows import read_columns
from clinic.cases.sessions import Scope, read_sessions

SCHEMA = "infusion-cases/1"
# The public cases: history of the demonstration clinic and acceptance at once.
WORKED = Path(__file__).with_name("worked.yaml")

_ID = re.compile(r"[\w.-]{1,40}")
_ORDERS = re.compile(r"orders?|order_versions?|order_v?_?\d+|new_order")

__all__ = ["SCHEMA", "WORKED", "CaseFault", "CaseFile", "read_cases", "read_file"]


def read_file(path: Path) -> CaseFile:
    """Read and parse one file. Raises CaseFault, also when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CaseFault(f"{path}: cannot be read: {reason}") from None
    return read_cases(content, name=str(path))


def read_cases(content: str | bytes, *, name: str = "cases.yaml") -> CaseFile:
    """Parse the text of a case file; `name` is how messages call it. Raises CaseFault."""
    source = Source(name)
    fields = read_root(content, source).fields()
    schema = fields.need("schema")
    if schema.text() != SCHEMA:
        schema.refuse(f"this is {shown(schema.text())}, expected {SCHEMA}")
    zone = _zone(fields)
    columns = fields.find("obs_columns")
    setting = _Setting(zone, read_columns(columns) if columns else None)
    entries = fields.need("cases")
    cases = [_case(one, setting) for one in entries.items()]
    if not cases:
        entries.refuse("there are no cases")
    _refuse_twins(cases, entries)
    fictional, staff = fields.flag("fictional"), fields.find("staff", "people")
    names = staff.fields() if staff else None
    fields.close()
    return CaseFile(
        name=name,
        schema=SCHEMA,
        fictional=fictional,
        zone=zone,
        staff={code.upper(): one.scalar() for code in names.names() if (one := names.find(code))} if names else {},
        cases=tuple(cases),
        warnings=tuple(source.warnings),
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the file says once for all cases; a case may say otherwise."""

    zone: ZoneInfo | None
    columns: tuple[str, ...] | None


def _zone(fields: Fields) -> ZoneInfo | None:
    item = fields.find("zone", "timezone", "time_zone")
    if item is None:
        return None
    try:
        return ZoneInfo(item.text())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise item.fault(f"{shown(item.text())} is not a time zone such as America/New_York") from None


def _case(item: Item, setting: _Setting) -> Case:
    key = item.fields().need("id")
    if not _ID.fullmatch(key.text()):
        key.refuse("an id is up to 40 letters, digits, dots, dashes")
    item = item.named(key.text())
    fields = item.fields()
    fields.need("id")
    zone, columns = _zone(fields) or setting.zone, fields.find("obs_columns")
    patient = read_patient(fields.need("patient"))
    course = fields.find("course")
    orders = read_orders([one for _, one in fields.find_matching(_ORDERS)], zone)
    if not orders:
        item.refuse("order is missing")
    scope = Scope(
        order=orders[0],
        zone=zone,
        columns=read_columns(columns) if columns else setting.columns,
        expected=read_expected,
    )
    case = Case(
        id=key.text(),
        title=fields.text("title") or key.text(),
        zone=zone,
        patient=patient,
        course=read_course(course, zone) if course else None,
        orders=orders,
        gates=read_gates(fields.find("gates", "appointments", "visits"), zone),
        sessions=read_sessions(fields, scope),
        expect=read_expected(fields.find("expect", "expected")),
        people=_people(item),
        place=item.place,
    )
    fields.close()
    return case


def _refuse_twins(cases: list[Case], entries: Item) -> None:
    seen: set[str] = set()
    for case, item in zip(cases, entries.items(), strict=True):
        if case.id in seen:
            item.fields().need("id").refuse(f"the id {case.id} stands twice")
        seen.add(case.id)


def read_expected(item: Item | None) -> tuple[Expected, ...]:
    """Every figure under `expect`, known or not; nested ones under a dotted name."""
    return tuple(_expected(item, "")) if item else ()


def _expected(item: Item, name: str) -> Iterator[Expected]:
    if item.is_mapping:
        fields = item.fields()
        for key, entry in fields.leftovers():
            yield from _expected(entry, f"{name}.{key}" if name else key)
        return
    if not name:
        item.refuse("a mapping of figures is expected")
    if not item.is_list:
        yield Expected(name=name, value=_plain(item), text=item.scalar(), place=item.place)
        return
    entries = item.items()
    if any(entry.is_list or entry.is_mapping for entry in entries):
        for number, entry in enumerate(entries):
            yield from _expected(entry, f"{name}[{number}]")
        return
    text = ", ".join(entry.scalar() for entry in entries)
    yield Expected(name=name, value=tuple(_plain(entry) for entry in entries), text=text, place=item.place)


def _plain(item: Item) -> ExpectedScalar:
    if item.is_null:
        return None
    if item.is_flag:
        return item.flag()
    return item.number() if item.is_number else item.scalar()


def _people(item: Item) -> tuple[str, ...]:
    """Staff codes anywhere in the case, in order of first mention."""
    return tuple(dict.fromkeys(code for text in _texts(item) for code in PERSON.findall(text)))


def _texts(item: Item) -> Iterator[str]:
    if item.is_mapping:
        fields = item.fields()
        for _, entry in fields.leftovers():
            yield from _texts(entry)
    elif item.is_list:
        for entry in item.items():
            yield from _texts(entry)
    else:
        yield item.scalar()
