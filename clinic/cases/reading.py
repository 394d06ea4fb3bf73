"""Reads YAML text into items that know their place in the file.

The nodes that the parser composes are walked as they stand: no Python object is built from a tag, and a number is taken
from its own digits, so none passes through a float.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NoReturn

import yaml

# Bounds against files made to exhaust the machine; a file of a hundred long cases stays far below each.
MAX_BYTES = 4_000_000
MAX_DEPTH = 20
MAX_NODES = 400_000
MAX_TEXT = 4_000
MAX_NUMBER = Decimal(10) ** 9
MAX_PLACES = 9

_STANDARD = "tag:yaml.org,2002:"
_TAGS = frozenset(
    _STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,2})?")
_NOT_FINITE = re.compile(r"[+-]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class CaseFault(Exception):
    """A case file is not what it should be. The message is one line: `file:line:column: place: what is wrong`."""

    def __init__(self, message: str) -> None:
        line = " ".join(_UNPRINTABLE.sub(" ", message).split())
        super().__init__(line if len(line) <= 400 else line[:399] + "…")  # noqa: PLR2004 a line that a terminal can show


def shown(text: str) -> str:
    """A value as a message quotes it: short, on one line."""
    flat = " ".join(text.split())
    return f"“{flat[:40]}…”" if len(flat) > 40 else f"“{flat}”"  # noqa: PLR2004 enough to recognise it by


@dataclass(slots=True)
class Source:
    """One file being read: its name for messages, what was left aside, and how much of it has been walked."""

    name: str
    warnings: list[str] = field(default_factory=list)
    walked: int = 0

    def spot(self, mark: yaml.Mark | None) -> str:
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{self.name}:1:1"

    def walk(self, item: "Item", count: int) -> None:
        """Count what is walked: an alias costs no memory, but walking it again and again costs time."""
        self.walked += count
        if item.depth > MAX_DEPTH:
            raise item.fault(f"nested deeper than {MAX_DEPTH} levels")
        if self.walked > MAX_NODES:
            raise item.fault("the file is too large when its aliases are written out")


class _Composer(yaml.SafeLoader):
    """Composes nodes and stops at foreign tags, deep nesting and sheer size; never constructs."""

    def __init__(self, text: str, source: Source) -> None:
        super().__init__(text)
        self._source = source
        self._depth = 0
        self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs leave it out
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise CaseFault(f"{self._source.spot(mark)}: nested deeper than {MAX_DEPTH} levels")
        if self._count > MAX_NODES:
            raise CaseFault(f"{self._source.spot(mark)}: more than {MAX_NODES} values")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and node.tag not in _TAGS:
            raise CaseFault(f"{self._source.spot(node.start_mark)}: the tag {shown(node.tag)} is not allowed")
        if isinstance(node, yaml.ScalarNode) and _UNPRINTABLE.search(node.value):
            raise CaseFault(f"{self._source.spot(node.start_mark)}: the text holds a control character")
        return node


def read_root(content: str | bytes, source: Source) -> "Item":
    """Parse YAML and return its root. Raises CaseFault for anything that is not one YAML document of plain values."""
    text = _decoded(content, source)
    try:
        loader = _Composer(text, source)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        spot = source.spot(error.problem_mark or error.context_mark)
        began = error.context_mark
        origin = f", in what begins at line {began.line + 1}" if began and error.problem_mark else ""
        raise CaseFault(f"{spot}: not YAML: {error.problem or error.context}{origin}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        raise CaseFault(f"{source.name}:{line}:{column}: not YAML: a character that cannot be printed") from None
    except (ValueError, OverflowError, RecursionError, IndexError) as error:
        # The scanner lets these through for impossible escapes and version numbers.
        raise CaseFault(f"{source.name}:1:1: not YAML: {type(error).__name__}") from None
    if node is None:
        raise CaseFault(f"{source.name}:1:1: the file is empty")
    return Item(node, "", source)


def _decoded(content: str | bytes, source: Source) -> str:
    if len(content) > MAX_BYTES:
        raise CaseFault(f"{source.name}:1:1: the file is larger than {MAX_BYTES // 1_000_000} MB")
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise CaseFault(f"{source.name}:{line}:{column}: not a text file in UTF-8") from None


@dataclass(frozen=True, slots=True)
class Item:
    """A value of the file with its place. The readers raise CaseFault with that place when it is something else."""

    node: yaml.Node
    path: str
    source: Source
    depth: int = 0

    @property
    def place(self) -> str:
        """`file:line:column: C03.infusion[2]`, rows counted from 0."""
        spot = self.source.spot(self.node.start_mark)
        return f"{spot}: {self.path}" if self.path else spot

    def fault(self, problem: str) -> CaseFault:
        return CaseFault(f"{self.place}: {problem}")

    def refuse(self, problem: str) -> NoReturn:
        raise self.fault(problem)

    def warn(self, problem: str) -> None:
        self.source.warnings.append(str(self.fault(problem)))

    def named(self, path: str) -> "Item":
        return replace(self, path=path)

    def inside(self, node: yaml.Node, path: str) -> "Item":
        """A value within this one. The depth is counted, as an alias may lead back to where it stands."""
        return Item(node, path, self.source, self.depth + 1)

    @property
    def is_null(self) -> bool:
        return self.node.tag == _STANDARD + "null"

    @property
    def is_nothing(self) -> bool:
        """Null, or one of the words that people write for it where a part would stand."""
        if not isinstance(self.node, yaml.ScalarNode):
            return False
        return self.is_null or self.scalar().lower() in {"", "none", "no", "n/a", "na", "not applicable", "-"}

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_number(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and _NUMBER.fullmatch(self.node.value.strip()) is not None

    @property
    def is_flag(self) -> bool:
        return self.node.tag == _STANDARD + "bool"

    def scalar(self) -> str:
        """The value's own characters, without spaces around them; whatever YAML would make of them."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.refuse("a single value is expected")
        text = str(self.node.value).strip()
        if len(text) > MAX_TEXT:
            self.refuse(f"the text is longer than {MAX_TEXT} characters")
        return text

    def text(self) -> str:
        text = self.scalar()
        if self.is_null or not text:
            self.refuse("a text is expected")
        return text

    def words(self) -> str:
        """Free text, also where the author gave it structure: `{to: EMS, unit: 7}` reads `to EMS, unit 7`."""
        if self.is_list:
            return "; ".join(one.words() for one in self.items() if not one.is_null)
        if not self.is_mapping:
            return "" if self.is_null else self.scalar()
        fields = self.fields()
        entries = ((name, fields.find(name)) for name in fields.names())
        return ", ".join(f"{name.replace('_', ' ')} {entry.words()}" for name, entry in entries if entry)

    def number(self) -> Decimal:
        """A finite decimal below 10^9 with at most nine places, from the digits as written."""
        text = self.scalar()
        if _NOT_FINITE.fullmatch(text):
            self.refuse(f"{shown(text)} is not a finite number")
        if self.is_null or not _NUMBER.fullmatch(text):
            self.refuse(f"{shown(text)} is not a number")
        number = Decimal(text)
        exponent = number.as_tuple().exponent
        if abs(number) >= MAX_NUMBER:
            self.refuse(f"{shown(text)} is too large")
        if not isinstance(exponent, int) or exponent < -MAX_PLACES:
            self.refuse(f"{shown(text)} has more than {MAX_PLACES} decimal places")
        return number

    def whole(self) -> int:
        number = self.number()
        if number != number.to_integral_value():
            self.refuse(f"{shown(self.scalar())} is not a whole number")
        return int(number)

    def flag(self) -> bool:
        text = self.scalar().lower()
        if text not in _FLAGS:
            self.refuse(f"{shown(text)} is neither true nor false")
        return _FLAGS[text]

    def day(self) -> date:
        text = self.scalar()
        try:
            return date.fromisoformat(text[:10] if re.match(r"\d{4}-\d\d-\d\d[T ]", text) else text)
        except ValueError:
            self.refuse(f"{shown(text)} is not a date such as 2026-11-01")

    def items(self) -> list["Item"]:
        """The entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse("a list is expected")
        self.source.walk(self, len(self.node.value))
        return [self.inside(node, f"{self.path}[{number}]") for number, node in enumerate(self.node.value)]

    def several(self) -> list["Item"]:
        """The entries of a list, or the one value that stands in its place; none for null."""
        if self.is_null:
            return []
        return self.items() if self.is_list else [self]

    def fields(self) -> "Fields":
        return Fields(self)


class Fields:
    """The keys of a mapping. Each is asked for under every spelling accepted; what nobody asked for is warned about.

    Null and an absent key are the same. Keys are compared in lower case, with `-` and spaces as `_`.
    """

    def __init__(self, item: Item, defaults: "Fields | None" = None) -> None:
        self.item = item
        self._own = dict(_entries(item))
        self._entries = {**(defaults.entries() if defaults else {}), **self._own}
        self._asked: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        return list(self._entries)

    def entries(self) -> dict[str, Item]:
        return dict(self._entries)

    def find(self, *names: str) -> Item | None:
        """The first of `names` that is there and not null."""
        for name in names:
            if name in self._entries:
                self._asked.add(name)
                if not self._entries[name].is_null:
                    return self._entries[name]
        return None

    def find_matching(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, Item]]:
        """Every entry whose whole key matches, in file order, null ones left out."""
        for name, entry in self._entries.items():
            if pattern.fullmatch(name):
                self._asked.add(name)
                if not entry.is_null:
                    yield name, entry

    def need(self, *names: str) -> Item:
        found = self.find(*names)
        if found is None:
            raise self.item.fault(f"{names[0]} is missing")
        return found

    def text(self, *names: str) -> str | None:
        found = self.find(*names)
        return (found.scalar() or None) if found else None

    def words(self, *names: str) -> str | None:
        """Free text of any shape, in one line."""
        found = self.find(*names)
        return (found.words() or None) if found else None

    def texts(self, *names: str) -> tuple[str, ...]:
        """A list of texts, or one text in its place."""
        found = self.find(*names)
        return tuple(one.text() for one in found.several() if one.is_list or one.scalar()) if found else ()

    def number(self, *names: str) -> Decimal | None:
        found = self.find(*names)
        return found.number() if found else None

    def whole(self, *names: str) -> int | None:
        found = self.find(*names)
        return found.whole() if found else None

    def flag(self, *names: str) -> bool | None:
        found = self.find(*names)
        return found.flag() if found else None

    def day(self, *names: str) -> date | None:
        found = self.find(*names)
        return found.day() if found else None

    def leftovers(self) -> list[tuple[str, Item]]:
        """Entries that nobody asked for, null ones too; asking for them is done with this."""
        rest = [(name, entry) for name, entry in self._own.items() if name not in self._asked]
        self._asked.update(name for name, _ in rest)
        return rest

    def remarks(self) -> list[str]:
        """What nobody asked for, as words to append to a free text."""
        return [f"{name.replace('_', ' ')} {entry.words()}" for name, entry in self.leftovers() if not entry.is_null]

    def close(self) -> None:
        """Warn about every key that nobody asked for."""
        for name, entry in self.leftovers():
            entry.warn(f"the key {shown(name)} is not known and was left aside")


def _entries(item: Item) -> Iterator[tuple[str, Item]]:
    if not isinstance(item.node, yaml.MappingNode):
        item.refuse("a mapping of keys to values is expected")
    item.source.walk(item, len(item.node.value))
    seen: set[str] = set()
    merged: list[Item] = []
    for key_node, value_node in item.node.value:
        key = item.inside(key_node, item.path)
        if not isinstance(key_node, yaml.ScalarNode):
            key.refuse("a key must be a single text")
        if key_node.tag == _STANDARD + "merge":
            merged += item.inside(value_node, item.path).several()
            continue
        name = re.sub(r"[\s-]+", "_", key.text().lower())
        if name in seen:
            key.refuse(f"the key {shown(name)} stands twice")
        seen.add(name)
        yield name, item.inside(value_node, f"{item.path}.{name[:40]}".lstrip("."))
    for one in reversed(merged):  # what is named first wins
        yield from ((name, entry) for name, entry in _entries(one) if name not in seen)
