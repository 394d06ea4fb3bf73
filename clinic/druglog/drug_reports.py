"""The reports of the register, each as a head and rows of words."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from clinic.core import formats
from clinic.core.units import format_number
from clinic.druglog import report_queries, stock_queries
from clinic.druglog.models import Discrepancy, Register, RegisterEntry
from clinic.druglog.models_settling import StockCount
from clinic.druglog.queries import lines_from
from clinic.druglog.report_rules import TITLES, DrugReport, Report
from clinic.druglog.rules import RegisterKind, lot_key


@dataclass(frozen=True, slots=True)
class Asked:
    """The period (the second instant left out), the last expiry of interest; one schedule or one site alone, if any."""

    start: datetime
    end: datetime
    expires_until: date
    schedule: str = ""
    site_id: uuid.UUID | None = None


def report(kind: DrugReport, asked: Asked) -> Report:
    """Return a report of what was asked; near misses stand above the register and are made by `reports`."""
    return _MADE[kind](asked, report_queries.schedules())


def _names(asked: Asked, schedules: Mapping[str, str]) -> Collection[str] | None:
    return [name for name, schedule in schedules.items() if schedule == asked.schedule] if asked.schedule else None


def _mg(value: Decimal | None) -> str:
    return "" if value is None else format_number(value).replace(",", "")


def _when(instant: datetime) -> str:
    return f"{formats.day(instant)} {formats.clock(instant)}"


def _lines(asked: Asked, schedules: Mapping[str, str]) -> list[RegisterEntry]:
    return report_queries.lines_between(asked.start, asked.end, _names(asked, schedules), asked.site_id)


def _log(asked: Asked, schedules: Mapping[str, str]) -> Report:
    rows = [_line(entry, schedules) for entry in _lines(asked, schedules)]
    head = (
        *("Schedule", "Drug, strength, form", "Site", "Cabinet", "Line", "Happened", "Entered", "What", "Patient"),
        *("MRN", "mg", "mL", "Before, mg", "After, mg", "Pieces", "Lot", "Supplier", "Supplier's address"),
        *("Supplier's number", "Invoice", "By", "Witness", "Struck out", "Words"),
    )
    return Report(TITLES[DrugReport.LOG], head, tuple(rows), frozenset({4, 10, 11, 12, 13}))


def _line(entry: RegisterEntry, schedules: Mapping[str, str]) -> tuple[str, ...]:
    page, container, patient = entry.register, entry.container, entry.account.patient if entry.account else None
    receipt = container.receipt if container and entry.kind is RegisterKind.RECEIVE else None
    return (
        schedules.get(entry.drug_name, ""),
        page.name if page else entry.drug_name,
        page.cabinet.site.name if page else "",
        page.cabinet.name if page else "",
        str(entry.line or ""),
        _when(entry.happened_at),
        _when(entry.recorded_at),
        entry.kind.value,
        f"{patient.family_name}, {patient.given_name}" if patient else "",
        (patient.mrn or "") if patient else "",
        _mg(entry.quantity_mg),
        _mg(entry.quantity_ml),
        _mg(entry.register_before_mg),
        _mg(entry.register_after_mg),
        _mg(_of_each(entry.quantity_mg, page.piece_mg if page else None)),
        (container.lot or "") if container else "",
        receipt.supplier if receipt else "",
        (receipt.supplier_address or "") if receipt else "",
        (receipt.supplier_number or "") if receipt else "",
        receipt.invoice if receipt else "",
        entry.recorded_by.name,
        entry.witness.name if entry.witness else "",
        "yes" if entry.is_struck else "",
        entry.reason or "",
    )


_TOLD: Final = (RegisterKind.WITHDRAW, RegisterKind.GIVE, RegisterKind.WASTE, RegisterKind.PRIME, RegisterKind.RETURN)
Sums = dict[tuple[uuid.UUID, str], dict[RegisterKind, Decimal]]


def _sums(entries: Collection[RegisterEntry], whose: Callable[[RegisterEntry], uuid.UUID | None]) -> Sums:
    """Add up what counts, by person and drug; an adjusted use counts as given."""
    sums: Sums = defaultdict(lambda: dict.fromkeys(_TOLD, Decimal(0)))
    for entry in entries:
        key = whose(entry)
        is_use = entry.kind is RegisterKind.ADJUST and entry.container_id is None
        kind = RegisterKind.GIVE if is_use else entry.kind
        if key is not None and entry.counts and kind in _TOLD:
            sums[key, entry.drug_name][kind] += entry.quantity_mg
    return sums


def _patients(asked: Asked, schedules: Mapping[str, str]) -> Report:
    entries = _lines(asked, schedules)
    patients = {entry.account.patient.id: entry.account.patient for entry in entries if entry.account}
    sums = _sums(entries, lambda entry: entry.account.patient_id if entry.account else None)
    left = _left({entry.account_id for entry in entries if entry.account_id})
    rows = []
    for (patient_id, drug), of in sums.items():
        patient = patients[patient_id]
        name = f"{patient.family_name}, {patient.given_name}"
        amounts = [_mg(of[kind]) for kind in _TOLD] + [_mg(left[patient_id, drug])]
        rows.append((name, patient.mrn or "", schedules.get(drug, ""), drug, *amounts))
    head = (
        "Patient",
        "MRN",
        "Schedule",
        "Drug",
        "Taken out, mg",
        "Given",
        "Wasted",
        "In the line",
        "Returned",
        "Open now",
    )
    return Report(TITLES[DrugReport.PATIENTS], head, tuple(sorted(rows)), frozenset(range(4, 10)))


def _left(account_ids: Collection[uuid.UUID]) -> Mapping[tuple[uuid.UUID, str], Decimal]:
    """Return what is not accounted for now, by patient and drug: waste may come after the end of the period."""
    left: dict[tuple[uuid.UUID, str], Decimal] = defaultdict(Decimal)
    for account in report_queries.accounts(account_ids):
        for line in lines_from(account.entries):
            left[account.patient_id, line.drug_name] += line.unaccounted_mg
    return left


def _people(asked: Asked, schedules: Mapping[str, str]) -> Report:
    entries = _lines(asked, schedules)
    names = {entry.recorded_by_id: entry.recorded_by.name for entry in entries}
    rows = []
    for (person_id, drug), of in _sums(entries, lambda entry: entry.recorded_by_id).items():
        taken, wasted = of[RegisterKind.WITHDRAW], of[RegisterKind.WASTE]
        share = f"{wasted * 100 / taken:.1f}" if taken else ""
        amounts = (_mg(taken), _mg(wasted), _mg(of[RegisterKind.RETURN]), share)
        rows.append((names[person_id], schedules.get(drug, ""), drug, *amounts))
    head = ("Person", "Schedule", "Drug", "Taken out, mg", "Wasted, mg", "Returned, mg", "Wasted of taken out, %")
    return Report(TITLES[DrugReport.PEOPLE], head, tuple(sorted(rows)), frozenset(range(3, 7)))


def _discrepancies(asked: Asked, schedules: Mapping[str, str]) -> Report:
    names = _names(asked, schedules)
    rows = [
        (
            _when(one.opened_at),
            schedules.get(one.drug_name, ""),
            one.drug_name,
            one.register.cabinet.site.name if one.register else "",
            one.register.cabinet.name if one.register else "",
            _mg(one.amount_mg),
            one.status.value,
            one.recorded_by.name,
            one.text,
        )
        for one in stock_queries.discrepancies()
        if not one.status.is_closed and (names is None or one.drug_name in names) and _is_of(one.register, asked)
    ]
    head = ("Opened", "Schedule", "Drug", "Site", "Cabinet", "Missing, mg", "State", "By", "What")
    return Report(TITLES[DrugReport.DISCREPANCIES], head, tuple(rows), frozenset({5}))


def _is_of(register: Register | None, asked: Asked) -> bool:
    """Whether it belongs to the site; what is about a session stands in the report of every site."""
    return register is None or asked.site_id in {None, register.cabinet.site_id}


def _lots(asked: Asked, schedules: Mapping[str, str]) -> Report:
    recalled = {(one.drug_name, lot_key(one.lot)): one.reason for one in stock_queries.recalls()}
    rows = []
    for container, balance in report_queries.stock(_names(asked, schedules), asked.site_id):
        why = recalled.get((container.drug_name, lot_key(container.lot)), "")
        expires = container.expires_on
        if not why and (expires is None or expires > asked.expires_until):
            continue
        rows.append(
            (
                schedules.get(container.drug_name, ""),
                container.register.name,
                container.register.cabinet.site.name,
                container.register.cabinet.name,
                container.lot or "",
                formats.day(expires) if expires else "",
                _mg(balance),
                _mg(_of_each(balance, container.piece_mg)),
                f"recalled: {why}" if why else "",
            )
        )
    head = ("Schedule", "Drug, strength, form", "Site", "Cabinet", "Lot", "Expires", "Holds, mg", "Pieces", "Recall")
    return Report(TITLES[DrugReport.LOTS], head, tuple(rows), frozenset({6, 7}))


def _receipts(asked: Asked, schedules: Mapping[str, str]) -> Report:
    """Deliveries as the law asks for them: drug, form, strength, size, number, day, and from whom."""
    entries = report_queries.lines_between(
        asked.start, asked.end, _names(asked, schedules), asked.site_id, RegisterKind.RECEIVE
    )
    alike: dict[tuple[object, ...], list[RegisterEntry]] = defaultdict(list)
    for entry in entries:
        if entry.container is not None:
            came = entry.container
            key = (entry.register_id, came.receipt_id or entry.id, came.lot, came.expires_on, came.piece_count)
            alike[(*key, entry.quantity_mg, entry.is_struck)].append(entry)
    rows = [_receipt(same, schedules) for same in alike.values()]
    head = (
        *("Schedule", "Drug, strength, form", "Site", "Cabinet", "Received", "Containers", "Pieces in each"),
        *("mg in each", "mg in all", "Lot", "Expires", "Supplier", "Invoice", "By", "Supplier's address"),
        *("Supplier's number", "Product code", "Struck out"),
    )
    return Report(TITLES[DrugReport.RECEIPTS], head, tuple(rows), frozenset({5, 6, 7, 8}))


def _receipt(same: list[RegisterEntry], schedules: Mapping[str, str]) -> tuple[str, ...]:
    entry, came = same[0], same[0].container
    receipt, page = came.receipt if came else None, entry.register
    return (
        schedules.get(entry.drug_name, ""),
        page.name if page else entry.drug_name,
        page.cabinet.site.name if page else "",
        page.cabinet.name if page else "",
        _when(entry.happened_at),
        str(len(same)),
        str((came and came.piece_count) or ""),
        _mg(entry.quantity_mg),
        _mg(entry.quantity_mg * len(same)),
        (came and came.lot) or "",
        formats.day(came.expires_on) if came and came.expires_on else "",
        receipt.supplier if receipt else "",
        receipt.invoice if receipt else "",
        entry.recorded_by.name,
        (receipt.supplier_address or "") if receipt else "",
        (receipt.supplier_number or "") if receipt else "",
        (came and came.product_code) or "",
        "yes" if entry.is_struck else "",
    )


def _counts(asked: Asked, schedules: Mapping[str, str]) -> Report:
    sheets = report_queries.sheets_between(asked.start, asked.end)
    entries = report_queries.lines_between(
        asked.start, asked.end, _names(asked, schedules), asked.site_id, RegisterKind.COUNT
    )
    rows = [_counted(one, sheets.get(one.stock_count_id) if one.stock_count_id else None, schedules) for one in entries]
    return Report(TITLES[DrugReport.COUNTS], _COUNTED, tuple(rows), _COUNTED_NUMBERS)


_COUNTED: Final = (
    *("Count", "Site", "Cabinet", "When", "Taken at", "Schedule", "Drug, strength, form", "Containers or pieces"),
    *("Counted, mg", "Register, mg", "Difference, mg", "By", "Witness"),
)
_COUNTED_NUMBERS: Final = frozenset({7, 8, 9, 10})


def sheet_report(sheet: StockCount, schedules: Mapping[str, str]) -> Report:
    """Return a count sheet or inventory line by line, as the law asks for it: when, where, what, how much, by whom."""
    rows = [_counted(one, sheet, schedules) for one in sheet.entries]
    return Report("Count sheet", _COUNTED, tuple(rows), _COUNTED_NUMBERS)


def _counted(entry: RegisterEntry, sheet: StockCount | None, schedules: Mapping[str, str]) -> tuple[str, ...]:
    """What was counted of one page on a sheet, of one page alone, or of one container."""
    page = entry.register
    held = (entry.balance_after_mg if entry.container_id else entry.register_after_mg) or Decimal(0)
    alone = "one container" if entry.container_id else "one page"
    return (
        sheet.purpose.value if sheet else alone,
        page.cabinet.site.name if page else "",
        page.cabinet.name if page else "",
        _when(entry.happened_at),
        f"{sheet.taken.value} of business" if sheet and sheet.taken else "",
        schedules.get(entry.drug_name, ""),
        page.name if page else entry.drug_name,
        _pieces(entry),
        _mg(entry.quantity_mg),
        _mg(held),
        _mg(entry.quantity_mg - held),
        entry.recorded_by.name,
        entry.witness.name if entry.witness else "",
    )


def loss_report(discrepancy: Discrepancy, schedules: Mapping[str, str]) -> Report:
    """Return what is missing and each thing that was done about it, without any patient."""
    page = discrepancy.register
    of_all = (
        schedules.get(discrepancy.drug_name, ""),
        page.name if page else discrepancy.drug_name,
        page.cabinet.site.name if page else "",
        page.cabinet.name if page else "",
        _mg(discrepancy.amount_mg),
    )
    found = ("found", "", discrepancy.text, _when(discrepancy.opened_at), discrepancy.recorded_by.name, "")
    steps = [
        (
            step.kind.value,
            step.cause.value if step.cause else "",
            step.note,
            _when(step.recorded_at),
            step.recorded_by.name,
            step.second.name if step.second else "",
        )
        for step in discrepancy.steps
    ]
    head = (
        *("Schedule", "Drug, strength, form", "Site", "Cabinet", "Missing, mg", "What was done", "Cause", "Words"),
        *("When", "By", "Second person"),
    )
    return Report("Loss report", head, tuple((*of_all, *step) for step in (found, *steps)), frozenset({4}))


def _pieces(entry: RegisterEntry) -> str:
    """What was counted in full containers or pieces, where it comes to whole ones."""
    return _mg(_of_each(entry.quantity_mg, entry.register.content_mg if entry.register else None))


def _of_each(quantity_mg: Decimal, each_mg: Decimal | None) -> Decimal | None:
    """Return how many whole ones an amount is, or None where it is none."""
    return quantity_mg / each_mg if each_mg and quantity_mg % each_mg == 0 else None


_MADE: Final[Mapping[DrugReport, Callable[[Asked, Mapping[str, str]], Report]]] = {
    DrugReport.LOG: _log,
    DrugReport.PATIENTS: _patients,
    DrugReport.PEOPLE: _people,
    DrugReport.DISCREPANCIES: _discrepancies,
    DrugReport.LOTS: _lots,
    DrugReport.RECEIPTS: _receipts,
    DrugReport.COUNTS: _counts,
}
