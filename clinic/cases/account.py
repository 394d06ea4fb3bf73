"""The controlled-drug account of a case (`cs_log`): its parts, and the spellings in which a file may give it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from clinic.cases.instants import Moment, Timeline
from clinic.cases.moments import moment, moment_of
from clinic.cases.reading import Fields, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountLine:
    """One line of the drug log: `what` is its label (`bag_remainder`) or its kind."""

    what: str
    mg: Decimal
    when: Moment | None
    by: str | None
    witness: str | None
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPart:
    """A count: what the register says and what was found, in mg."""

    when: Moment | None
    expected_mg: Decimal | None
    found_mg: Decimal | None
    by: tuple[str, ...]
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyPart:
    """A difference that was opened, and how it was closed. `mg` keeps the sign that the file gives it."""

    mg: Decimal | None
    cause: str | None
    status: str | None
    opened: Moment | None
    resolved: Moment | None
    by: tuple[str, ...]
    text: str
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugAccountPart:
    """The controlled-drug account of one drug in one session, all in mg.

    `withdrawn_mg` is the sum of `withdrawals` where the file lists them. `given_mg` is what the file states (a second
    drug's doses); for the infused drug it is usually None and follows from the rates. `spilled` is drug that was lost.
    """

    drug: str | None
    container: str | None
    withdrawn_mg: Decimal | None
    prepared_mg: Decimal | None
    given_mg: Decimal | None
    withdrawals: tuple[AmountLine, ...]
    waste: tuple[AmountLine, ...]
    returned: tuple[AmountLine, ...]
    spilled: tuple[AmountLine, ...]
    adjustments: tuple[AmountLine, ...]
    witness: str | None
    vial_balance_before_mg: Decimal | None
    vial_balance_after_mg: Decimal | None
    counts: tuple[CountPart, ...]
    discrepancies: tuple[DiscrepancyPart, ...]
    place: str = field(default="", compare=False, repr=False)

    @property
    def waste_mg(self) -> Decimal:
        return sum((line.mg for line in self.waste), Decimal(0))

    @property
    def returned_mg(self) -> Decimal:
        return sum((line.mg for line in self.returned), Decimal(0))


_SECOND_DRUG = re.compile(r"(?:second|third|fourth|other)_drugs?")
_FOUND = ("found_mg", "counted_mg", "count_mg", "actual_mg", "physical_mg", "measured_mg", "found", "counted", "actual")
_EXPECTED = ("expected_mg", "book_mg", "register_mg", "log_mg", "balance_mg", "expected", "book", "register")
_DIFFERENCE = ("mg", "amount_mg", "difference_mg", "discrepancy_mg", "missing_mg", "short_mg")
_COUNTED = ("count_found_mg", "vial_count_mg", "vial_counted_mg", "vial_found_mg")
_PEOPLE = ("by", "who", "staff", "persons", "people", "counted_by", "resolved_by")
_BEFORE = ("vial_balance_before_mg", "balance_before_mg")
_AFTER = ("vial_balance_after_mg", "balance_after_mg")
_KEYS = frozenset(
    {"withdrawn_mg", "container", "waste", "prepared_mg", "lines", "entries", "register", "drugs", "drug"}
)


def read_accounts(item: Item, *, drug: str | None, timeline: Timeline) -> tuple[DrugAccountPart, ...]:
    """All accounts of one `cs_log`: of `drug` first, then of a second drug and of any others listed.

    Accepted are one account, a list of accounts, `{drugs: [...]}`, `{midazolam: {...}, ketamine: {...}}`, and register
    lines `[minute, kind, mg, text]` under `lines`, which are sorted into the account by their kind.
    """
    if item.is_list:
        return tuple(part for one in item.items() for part in read_accounts(one, drug=drug, timeline=timeline))
    fields = item.fields()
    names = fields.names()
    if names and _KEYS.isdisjoint(names) and all(fields.need(name).is_mapping for name in names if fields.find(name)):
        return tuple(
            part
            for name in names
            if (one := fields.find(name))
            for part in read_accounts(one, drug=name, timeline=timeline)
        )
    listed = fields.find("drugs", "accounts", "containers")
    others = [one for _, entry in fields.find_matching(_SECOND_DRUG) for one in entry.several()]
    own = [] if listed and _KEYS.isdisjoint(set(names) - {"drugs"}) else [_account(fields, drug, timeline)]
    fields.close()
    return (
        *own,
        *(
            part
            for one in (listed.several() if listed else [])
            for part in read_accounts(one, drug=drug, timeline=timeline)
        ),
        *(part for one in others for part in read_accounts(one, drug=None, timeline=timeline)),
    )


def _account(fields: Fields, drug: str | None, timeline: Timeline) -> DrugAccountPart:
    witness = fields.text("witness")
    lines = _lines(fields, ("lines", "entries", "register", "transactions"), timeline, witness)
    listed = _lines(fields, ("withdrawals", "withdraw"), timeline, witness) + _of(lines, "withdraw", "withdrawn")
    waste = _lines(fields, ("waste", "wasted", "wastes", "wasted_mg", "waste_mg"), timeline, witness)
    given = _of(lines, "give", "given", "administer", "administered", "dose", "prn_given")
    prepared = _stated(fields, ("prepared_mg", "prepared"), _of(lines, "prepare", "prepared"))
    withdrawn = _stated(fields, ("withdrawn_mg", "withdrawn", "drawn_mg"), listed)
    return DrugAccountPart(
        drug=fields.text("drug") or drug,
        container=_container(fields),
        # What went into the bag came out of a container, also where the file does not say so.
        withdrawn_mg=prepared if withdrawn is None else withdrawn,
        prepared_mg=prepared,
        given_mg=_stated(fields, ("given_mg", "given", "administered_mg"), given),
        withdrawals=listed,
        waste=waste + _of(lines, "waste", "wasted"),
        returned=_lines(fields, ("returned_mg", "returned", "returns", "return"), timeline, witness)
        + _of(lines, "return", "returned"),
        spilled=_lines(fields, ("spilled_mg", "spilled", "spill", "lost_mg"), timeline, witness)
        + _of(lines, "spill", "spilled", "loss", "lost"),
        adjustments=_lines(fields, ("adjustments", "adjustment", "adjusted_mg"), timeline, witness)
        + _of(lines, "adjust", "adjustment"),
        witness=witness,
        vial_balance_before_mg=fields.number(*_BEFORE),
        vial_balance_after_mg=fields.number(*_AFTER),
        counts=_counts(fields, timeline, _of(lines, "count", "counted")),
        discrepancies=_discrepancies(fields, timeline, _of(lines, "discrepancy")),
        place=fields.item.place,
    )


def _stated(fields: Fields, names: tuple[str, ...], lines: tuple[AmountLine, ...]) -> Decimal | None:
    """The amount that the file states, else the sum of its lines."""
    found = fields.find(*names)
    if found is not None:
        return sum((one.number() for one in found.several()), Decimal(0))
    return sum((line.mg for line in lines), Decimal(0)) if lines else None


def _of(lines: Iterable[AmountLine], *kinds: str) -> tuple[AmountLine, ...]:
    return tuple(line for line in lines if line.what.lower() in kinds)


def _container(fields: Fields) -> str | None:
    found = fields.find("container", "vial", "product")
    if found is None or not found.is_mapping:
        return found.scalar() if found else None
    parts = found.fields()
    words = [parts.text("kind", "form"), parts.text("strength"), parts.text("size"), parts.text("dose", "use")]
    strength, volume = parts.number("strength_mg_ml", "conc_mg_ml"), parts.number("volume_ml", "size_ml")
    words += [f"{strength} mg/mL" if strength else None, f"{volume} mL" if volume else None]
    lot = parts.text("lot")
    parts.close()
    return ", ".join([" ".join(word for word in words if word), *([f"lot {lot}"] if lot else [])])


def _lines(fields: Fields, names: tuple[str, ...], timeline: Timeline, witness: str | None) -> tuple[AmountLine, ...]:
    found = fields.find(*names)
    if found is None:
        return ()
    label = names[0].removesuffix("_mg")
    if found.is_mapping and not {"mg", "what", "label"} & set(found.fields().names()):
        entries = found.fields()
        return tuple(_line_of_number(entry, name, witness) for name in entries.names() if (entry := entries.find(name)))
    rows = [found] if _is_one_line(found) else found.several()
    return tuple(_line(row, label, timeline, witness) for row in rows)


def _is_one_line(item: Item) -> bool:
    """Whether a list is itself one line: `waste: [bag_remainder, 25.2]` without the outer brackets."""
    if not item.is_list:
        return False
    cells = item.items()
    return len(cells) > 1 and not any(cell.is_list or cell.is_mapping for cell in cells) and not cells[0].is_number


def _line_of_number(item: Item, what: str, witness: str | None) -> AmountLine:
    return AmountLine(what=what, mg=item.number(), when=None, by=None, witness=witness, text="", place=item.place)


def _line(item: Item, label: str, timeline: Timeline, witness: str | None) -> AmountLine:
    if item.is_mapping:
        fields = item.fields()
        line = AmountLine(
            what=fields.text("what", "label", "kind", "type", "from", "source") or label,
            mg=fields.need("mg", "amount_mg", "amount", "wasted_mg", "returned_mg", "withdrawn_mg").number(),
            when=moment(fields, timeline, "at", ""),
            by=fields.text("by", "who"),
            witness=fields.text("witness") or witness,
            text=fields.words("text", "detail", "reason", "note") or "",
            place=item.place,
        )
        fields.close()
        return line
    if not item.is_list:
        return _line_of_number(item, label, witness)
    cells = item.items()
    when = None
    # [label, mg, …] or [time, kind, mg, …]: the amount is the first number behind the label.
    if len(cells) > 2 and not cells[1].is_number:  # noqa: PLR2004
        when, cells = moment_of(cells[0], timeline), cells[1:]
    if len(cells) < 2:  # noqa: PLR2004
        item.refuse("a line is [label, mg]")
    rest = [cell.scalar() for cell in cells[2:] if not cell.is_null]
    return AmountLine(
        what=cells[0].text(),
        mg=cells[1].number(),
        when=when,
        by=None,
        witness=_witness_in(rest) or witness,
        text=", ".join(rest),
        place=item.place,
    )


def _witness_in(words: list[str]) -> str | None:
    """The last staff code of a line: the one who gives is named before the one who watches."""
    codes = re.findall(r"\b[A-Z]{2,5}-\d+\b", " ".join(words))
    return codes[-1] if codes else None


def _counts(fields: Fields, timeline: Timeline, lines: tuple[AmountLine, ...]) -> tuple[CountPart, ...]:
    after = fields.number(*_AFTER)
    counts = [
        CountPart(when=line.when, expected_mg=after, found_mg=line.mg, by=(), text=line.text, place=line.place)
        for line in lines
    ]
    found = fields.find(
        "vial_balance_counted_mg", "vial_balance_found_mg", "counted_mg", "found_mg", "count_mg", *_COUNTED
    )
    if found is not None:
        expected = fields.number("vial_balance_expected_mg", "expected_mg", "count_expected_mg", "vial_expected_mg")
        expected = after if expected is None else expected
        counts.append(
            CountPart(when=None, expected_mg=expected, found_mg=found.number(), by=(), text="", place=found.place)
        )
    listed = fields.find("count", "counts")
    return (*counts, *(read_count(one, timeline, after) for one in (listed.several() if listed else [])))


def read_count(item: Item, timeline: Timeline, after: Decimal | None = None) -> CountPart:
    """One count; a bare number is what was found, against the balance `after`."""
    if not item.is_mapping:
        return CountPart(when=None, expected_mg=after, found_mg=item.number(), by=(), text="", place=item.place)
    fields = item.fields()
    expected = fields.number(*_EXPECTED)
    part = CountPart(
        when=moment(fields, timeline, "at", "", "counted"),
        expected_mg=after if expected is None else expected,
        found_mg=fields.number(*_FOUND),
        by=(*fields.texts(*_PEOPLE), *fields.texts("witness")),
        text=fields.words("text", "detail", "reason", "note") or "",
        place=item.place,
    )
    fields.close()
    return part


def _discrepancies(fields: Fields, timeline: Timeline, lines: tuple[AmountLine, ...]) -> tuple[DiscrepancyPart, ...]:
    parts = [_plain_discrepancy(line.mg, line.text, line.place) for line in lines]
    amount = fields.find("discrepancy_mg", "unaccounted_mg", "difference_mg")
    if amount is not None:
        parts.append(_plain_discrepancy(amount.number(), "", amount.place))
    listed = fields.find("discrepancy", "discrepancies")
    return (*parts, *(read_discrepancy(one, timeline) for one in (listed.several() if listed else [])))


def _plain_discrepancy(mg: Decimal | None, text: str, place: str) -> DiscrepancyPart:
    return DiscrepancyPart(mg=mg, cause=None, status=None, opened=None, resolved=None, by=(), text=text, place=place)


def read_discrepancy(item: Item, timeline: Timeline) -> DiscrepancyPart:
    """One discrepancy: a number of mg, a sentence, or a mapping with both and its course."""
    if not item.is_mapping:
        return _plain_discrepancy(item.number() if item.is_number else None, item.scalar(), item.place)
    fields = item.fields()
    mg, found, book = fields.number(*_DIFFERENCE), fields.number(*_FOUND), fields.number(*_EXPECTED)
    part = DiscrepancyPart(
        mg=found - book if mg is None and found is not None and book is not None else mg,
        cause=fields.text("cause", "cause_code", "kind"),
        status=fields.text("status", "state"),
        opened=moment(fields, timeline, "opened", "found", "at", ""),
        resolved=moment(fields, timeline, "resolved", "closed"),
        by=(*fields.texts(*_PEOPLE), *fields.texts("witness")),
        text=fields.words("text", "detail", "reason", "note", "resolution") or "",
        place=item.place,
    )
    fields.close()
    return part
