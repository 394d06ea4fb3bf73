"""The rows of a session: infusion, boluses, observations, events, corrections. Each as a list or as a mapping."""

from collections.abc import Sequence
from decimal import Decimal

from clinic.cases.facts import COLUMNS, EventKind, facts
from clinic.cases.instants import Moment, Timeline
from clinic.cases.moments import moment, moment_of
from clinic.cases.parts import BolusRow, CorrectionPart, EventRow, InfusionRow, ObservationRow
from clinic.cases.reading import Fields, Item, shown

# Columns that hold the time of a row, whatever it is written as.
TIME_COLUMNS = (
    "min",
    "minute",
    "minutes",
    "at",
    "time",
    "at_min",
    "local",
    "utc",
    "t",
    "observed_at",
    "at_utc",
    "when",
)

_FROM = ("from", "start", "begin", "since")
_TO = ("to", "end", "stop", "until", "till")
_RATE = ("ml_h", "rate_ml_h", "rate", "ml/h", "rate_ml/h")


def time_of(fields: Fields, timeline: Timeline, *bases: str) -> Moment:
    """The moment of a row given as a mapping; its absence is a fault."""
    found = moment(fields, timeline, *bases)
    if found is None:
        raise fields.item.fault(f"{bases[0] or 'min'} is missing")
    return found


# --------------------------------------------------------------------------------------------------------------------
# Infusion


def read_infusion(item: Item | None, timeline: Timeline, *, end: Moment | None, utc: bool) -> tuple[InfusionRow, ...]:
    """Rows `[from, to, mL/h]` or mappings of these.

    A row without an end lasts until the next one begins, the last one until `end`. A row of rate 0 is a pause written
    out: it is left out, as the gap says the same.
    """
    if item is None:
        return ()
    raw = [_infusion_cells(one, timeline, utc=utc) for one in item.items()]
    rows: list[InfusionRow] = []
    reached: Moment | None = None
    for number, (place, start, stop, rate, note) in enumerate(raw):
        following = raw[number + 1][1] if number + 1 < len(raw) else end
        close = stop or following
        if close is None:
            place.refuse("to is missing, and nothing says when the infusion stops")
        if close.at == start.at:
            place.refuse("to is the same as from")
        if close.at < start.at:
            place.refuse("to is before from")
        if reached is not None and start.at < reached.at:
            place.refuse(f"from is before the end of the row above ({reached.minute.normalize():f} min)")
        reached = close
        if rate > 0:
            rows.append(InfusionRow(start=start, end=close, rate_ml_h=rate, note=note, place=place.place))
    return tuple(rows)


def _infusion_cells(item: Item, timeline: Timeline, *, utc: bool) -> tuple[Item, Moment, Moment | None, Decimal, str]:
    if item.is_mapping:
        fields = item.fields()
        start, stop = time_of(fields, timeline, *_FROM), moment(fields, timeline, *_TO)
        rate = fields.need(*_RATE)
        note = "; ".join(fields.remarks())
    else:
        cells = item.items()
        if len(cells) < 2:  # noqa: PLR2004
            item.refuse("a row is [from, to, mL/h]")
        start = moment_of(cells[0], timeline, utc=utc)
        # [from, mL/h] is a row that lasts until the next.
        stop = None if len(cells) == 2 or cells[1].is_null else moment_of(cells[1], timeline, utc=utc)  # noqa: PLR2004
        rate = cells[1] if len(cells) == 2 else cells[2]  # noqa: PLR2004
        note = "; ".join(cell.scalar() for cell in cells[3:] if not cell.is_null)
    number = rate.number()
    if number < 0:
        rate.refuse("a rate is not negative")
    return item, start, stop, number, note


def read_boluses(
    item: Item | None, timeline: Timeline, events: Sequence[EventRow], conc: Decimal | None, *, utc: bool
) -> tuple[BolusRow, ...]:
    """Rows `[minute, mg]` or mappings, and the events of kind bolus that name a dose and have no row of their own."""
    listed = [_bolus(one, timeline, conc, utc=utc) for one in _rows(item)]
    known = {row.when.at for row in listed}
    for event in events:
        said = facts(event)
        if said.kind is not EventKind.BOLUS or said.dose is None or event.when.at in known:
            continue
        dose = _in_mg(said.dose, said.unit, conc)
        if dose is not None:
            listed.append(
                BolusRow(
                    when=event.when,
                    dose_mg=dose,
                    over_min=said.over_min,
                    by=said.given_by,
                    text=event.text,
                    place=event.place,
                )
            )
    return tuple(listed)


def _rows(item: Item | None) -> list[Item]:
    """A list of rows; one mapping, or one row without the outer brackets, stands for a list of one."""
    if item is None:
        return []
    if item.is_list and (cells := item.items()) and not cells[0].is_list and not cells[0].is_mapping:
        return [item]
    return item.several()


def _in_mg(dose: Decimal, unit: str | None, conc: Decimal | None) -> Decimal | None:
    if unit == "mL":
        return dose * conc if conc is not None else None
    return {"mg": dose, "mcg": dose / 1000, "g": dose * 1000, None: dose}.get(unit)


def _bolus(item: Item, timeline: Timeline, conc: Decimal | None, *, utc: bool) -> BolusRow:
    if item.is_mapping:
        fields = item.fields()
        when = time_of(fields, timeline, "", "at", "from", "start")
        over, by = fields.number("over_min", "duration_min"), fields.text("by", "given_by")
        text = fields.text("text", "detail", "note", "drug") or ""
        mg = fields.find("mg", "dose_mg", "dose")
        dose = _in_mg(fields.need("ml", "volume_ml", "dose_ml").number(), "mL", conc) if mg is None else mg.number()
        fields.close()
    else:
        cells = item.items()
        if len(cells) < 2:  # noqa: PLR2004
            item.refuse("a row is [minute, mg]")
        when, dose, over, by = moment_of(cells[0], timeline, utc=utc), cells[1].number(), None, None
        text = ", ".join(cell.scalar() for cell in cells[2:] if not cell.is_null)
    if dose is None:
        item.refuse("the dose is in mL, but the order has no concentration")
    if dose <= 0:
        item.refuse("a bolus is more than 0")
    return BolusRow(when=when, dose_mg=dose, over_min=over, by=by, text=text, place=item.place)


# --------------------------------------------------------------------------------------------------------------------
# Observations and events


def read_columns(item: Item) -> tuple[str, ...]:
    """The names of the observation columns; exactly one holds the time."""
    names: list[str] = []
    for one in item.items():
        word = one.text().lower().replace("-", "_").replace(" ", "_")
        name = COLUMNS.get(word, word)
        if name in names:
            one.refuse(f"the column {shown(name)} stands twice")
        names.append(name)
    times = [name for name in names if name in TIME_COLUMNS]
    if len(times) != 1:
        item.refuse(f"one column holds the time ({', '.join(TIME_COLUMNS[:5])} …), here {len(times)} do")
    return tuple(names)


def read_observations(
    item: Item | None, timeline: Timeline, columns: tuple[str, ...] | None, *, utc: bool
) -> tuple[ObservationRow, ...]:
    """Rows in the order of `columns`, or mappings. A short row lacks its last columns; a longer one is a fault."""
    if item is None:
        return ()
    return tuple(_observation(one, timeline, columns, utc=utc) for one in item.items())


def _observation(item: Item, timeline: Timeline, columns: tuple[str, ...] | None, *, utc: bool) -> ObservationRow:
    if item.is_mapping:
        fields = item.fields()
        cells = {COLUMNS.get(name, name): entry for name, entry in fields.leftovers()}
    else:
        if columns is None:
            item.refuse("the file has no obs_columns")
        entries = item.items()
        if len(entries) > len(columns):
            entries[len(columns)].refuse(f"the row has {len(entries)} columns, obs_columns has {len(columns)}")
        cells = dict(zip(columns, entries, strict=False))
    name = next((name for name in TIME_COLUMNS if name in cells), None)
    if name is None:
        item.refuse("the row has no time")
    when = moment_of(cells.pop(name), timeline, utc=utc or name.endswith("utc"))
    values, remarks = _measured(cells)
    return ObservationRow(when=when, values=values, remarks=remarks, place=item.place)


# What every file of the schema measures: words in these are a slip. Other columns may hold words.
_NUMERIC = frozenset(
    {
        "sbp",
        "dbp",
        "map",
        "hr",
        "rr",
        "spo2",
        "etco2",
        "temp",
        "rass",
        "moaas",
        "ramsay",
        "nrs",
        "dissociation",
        "nausea",
    }
)


def _measured(cells: dict[str, Item]) -> tuple[dict[str, Decimal | None], dict[str, str]]:
    values: dict[str, Decimal | None] = {}
    remarks: dict[str, str] = {}
    for name, cell in cells.items():
        if cell.is_null:
            values[name] = None
        elif name == "bp":
            values["sbp"], values["dbp"] = _pressure(cell)
        elif cell.is_number or name in _NUMERIC:
            values[name] = cell.number()
        else:
            remarks[name] = cell.text()
    return values, remarks


def _pressure(cell: Item) -> tuple[Decimal, Decimal]:
    high, slash, low = cell.scalar().partition("/")
    if not (slash and high.strip().isdecimal() and low.strip().isdecimal()):
        cell.refuse("a blood pressure is written 128/84")
    return Decimal(high.strip()), Decimal(low.strip())


def read_events(item: Item | None, timeline: Timeline, *, utc: bool) -> tuple[EventRow, ...]:
    """Rows `[minute, kind, text]` or mappings; further keys of a mapping join the text, where `facts` finds them."""
    return tuple(_event(one, timeline, utc=utc) for one in item.items()) if item else ()


def _event(item: Item, timeline: Timeline, *, utc: bool) -> EventRow:
    if item.is_mapping:
        fields = item.fields()
        when = time_of(fields, timeline, "", "at")
        kind = fields.need("kind", "type", "event", "what").text()
        said = [fields.words("text", "detail", "note", "details") or "", *fields.remarks()]
    else:
        cells = item.items()
        if len(cells) < 2:  # noqa: PLR2004
            item.refuse("a row is [minute, kind, text]")
        when, kind = moment_of(cells[0], timeline, utc=utc), cells[1].text()
        said = [cell.words() for cell in cells[2:]]
    return EventRow(when=when, kind=kind, text="; ".join(words for words in said if words), place=item.place)


# --------------------------------------------------------------------------------------------------------------------
# Corrections


def _value(item: Item | None) -> Decimal | str | None:
    if item is None:
        return None
    return item.number() if item.is_number else item.text()


def read_correction(item: Item, timeline: Timeline) -> CorrectionPart:
    """A corrected value or a late entry; which of the two is told by `type`, else by the presence of `field`."""
    fields = item.fields()
    column = fields.text("field", "column")
    was, now = _value(fields.find("was", "from_value")), _value(fields.find("now", "is", "to_value"))
    kind = (fields.text("type", "kind") or ("correction" if column else "late_entry")).lower().replace("-", "_")
    if kind == "correction" and not column:
        item.refuse("field is missing")
    part = CorrectionPart(
        kind=kind.replace(" ", "_"),
        obs=moment(fields, timeline, "obs", "row", "event", "at", ""),
        column=COLUMNS.get(column.lower(), column.lower()) if column else None,
        was=was,
        now=now,
        entered=moment(fields, timeline, "entered"),
        corrected=moment(fields, timeline, "corrected"),
        observed=moment(fields, timeline, "observed"),
        recorded=moment(fields, timeline, "recorded"),
        by=fields.text("by"),
        reason=fields.text("reason"),
        place=item.place,
    )
    fields.close()
    return part
