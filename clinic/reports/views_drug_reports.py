"""The reports of the register: as a page, as CSV, on paper or as a PDF."""

import uuid
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from clinic.accounts.current import actor, clinic
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import clock, pdf
from clinic.core.choices import left_open, options
from clinic.core.forms import Form
from clinic.core.moments import DayField
from clinic.core.permissions import Permission, requires
from clinic.core.times import date_label, from_local, local
from clinic.druglog import report_queries, stock_queries
from clinic.druglog.drug_reports import Asked, report
from clinic.druglog.report_rules import TITLES, DrugReport, Report, as_csv
from clinic.reports.near_misses import near_misses
from clinic.reports.views_shared import bp
from clinic.signatures.printing import printed

SHOWN: Final = 200
DRUG_REPORT: Final = "drug report"
_DAY: Final = timedelta(days=1)
_USUAL: Final = timedelta(days=30)
# As long as the law keeps the records.
_KEPT: Final = timedelta(days=731)
_SOON: Final = timedelta(days=90)


class PeriodForm(Form):
    """From which day until which; one schedule or one site alone. It only asks: no post."""

    from_on = DayField("From", required=True)
    until_on = DayField("Until", required=True)
    schedule: Any = SelectField("Schedule", [left_open()])
    site: Any = SelectField("Site", [left_open()])

    class Meta:
        """A question in the address carries no token."""

        csrf = False


def _asked(query: Mapping[str, str] | None = None) -> tuple[DrugReport, PeriodForm, Report]:
    """Read the question from the address or an earlier print; what is missing or cannot be is the last thirty days."""
    said: Mapping[str, str] = request.args if query is None else query
    now, zone = clock.now(), ZoneInfo(clinic().zone)
    today = local(now, zone).date()
    usual = {"from_on": date_label(today - _USUAL), "until_on": date_label(today), "schedule": "", "site": ""}
    kind = next((one for one in DrugReport if one == said.get("kind")), DrugReport.LOG)
    form = PeriodForm(MultiDict(usual | {name: said[name] for name in usual if said.get(name)}))
    schedules = sorted(set(report_queries.schedules().values()))
    form.schedule.choices = options({"": "all", **{one: one for one in schedules}})
    sites = {str(one.id): one.name for one in stock_queries.sites()}
    form.site.choices = options({"": "all", **sites})
    is_whole, first, last = form.validate(), form.from_on.data, form.until_on.data
    if is_whole and first and last and last < first:
        form.until_on.errors = ["Enter a day that is not before the first one"]
    if form.errors:
        return kind, form, Report(TITLES[kind], (), ())
    asked = Asked(
        start=_midnight(form.from_on.data or today, zone),
        end=_midnight((form.until_on.data or today) + _DAY, zone),
        expires_until=today + _SOON,
        schedule=form.schedule.data or "",
        site_id=uuid.UUID(form.site.data) if form.site.data else None,
    )
    return kind, form, near_misses(asked) if kind is DrugReport.NEAR_MISSES else report(kind, asked)


def _midnight(day: Any, zone: ZoneInfo) -> datetime:
    return from_local(day, time(0), zone, fold=0)


def _address(query: dict[str, Any]) -> str:
    return url_for(".show_drug_report", **query)


def _query(kind: DrugReport, form: PeriodForm) -> dict[str, str]:
    return {
        "kind": kind.value,
        "from_on": date_label(form.from_on.data) if form.from_on.data else "",
        "until_on": date_label(form.until_on.data) if form.until_on.data else "",
        "schedule": form.schedule.data or "",
        "site": form.site.data or "",
    }


def _content(made: Report, query: Mapping[str, str]) -> Mapping[str, object]:
    """Return everything that a report holds."""
    return {"report": made.title, "head": list(made.head), "rows": [list(row) for row in made.rows], **query}


def report_again(query: Mapping[str, str]) -> tuple[str, str, Mapping[str, object]]:
    """Return the title, the address and the content, as it stands today, of a report that was printed."""
    kind, form, made = _asked(query)
    asked = _query(kind, form)
    return made.title, _address(asked), _content(made, asked)


@bp.get("/drugs/reports")
@requires(Permission.READ_DRUG_LOG)
def show_drug_report() -> ResponseReturnValue:
    """A report of the register for a period, all drugs or one schedule."""
    return _page(*_asked())


def _page(kind: DrugReport, form: PeriodForm, made: Report) -> ResponseReturnValue:
    reading.note(AuditAction.DRUG_LOG_READ, None, actor_id=actor().id, page=f"report {kind}")
    query = _query(kind, form)
    today = local(clock.now(), ZoneInfo(clinic().zone)).date()
    page = render_template(
        "reports/drug_report.html",
        kind=kind,
        kinds=[(_address(query | {"kind": one.value}), title, one is kind) for one, title in TITLES.items()],
        report=made,
        shown=made.rows[:SHOWN],
        form=form,
        query=query,
        two_years=query | {"from_on": date_label(today - _KEPT), "until_on": date_label(today)},
    )
    return page, 422 if form.errors else 200


@bp.get("/drugs/reports/export.csv")
@requires(Permission.READ_DRUG_LOG)
def export_drug_report() -> ResponseReturnValue:
    """The report as comma-separated text; it is written into the trail as what leaves the clinic."""
    kind, form, made = _asked()
    if form.errors:
        return _page(kind, form, made)
    reading.note(AuditAction.DRUG_LOG_PRINTED, None, actor_id=actor().id, is_single=True, page=f"report {kind} as CSV")
    answer = Response(as_csv(made), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="controlled-drugs-{kind}.csv"'
    return answer


@bp.get("/drugs/reports/print")
@requires(Permission.READ_DRUG_LOG)
def print_drug_report() -> ResponseReturnValue:
    """The report on paper or as a PDF."""
    kind, form, made = _asked()
    if form.errors:
        return _page(kind, form, made)
    site, query = report_queries.first_site(), _query(kind, form)
    content = _content(made, query)
    code = printed(AuditAction.DRUG_LOG_PRINTED, site, content, page=DRUG_REPORT, asked=query)
    page = render_template("reports/drug_report_print.html", report=made, form=form, code=code, query=query)
    return pdf.answer(page, name=f"controlled-drugs-{kind}", is_wide=True)
