"""Controlled drugs on paper: count sheets and inventories, the report of a loss."""

import uuid
from collections.abc import Mapping
from typing import Final

from flask import Response, abort, render_template
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import pdf
from clinic.core.permissions import Permission, requires
from clinic.core.rows import all_columns, columns
from clinic.druglog import report_queries, stock_queries
from clinic.druglog.drug_reports import loss_report, sheet_report
from clinic.druglog.models import Discrepancy
from clinic.druglog.models_settling import StockCount
from clinic.druglog.report_rules import Report, as_csv
from clinic.reports.views_shared import bp
from clinic.signatures.printing import printed

COUNT_SHEET: Final = "count sheet"
LOSS_REPORT: Final = "loss report"


def sheet_content(sheet: StockCount) -> Mapping[str, object]:
    """Return everything that a count sheet holds."""
    return {"sheet": columns(sheet), "lines": all_columns(sheet.entries)}


def loss_content(discrepancy: Discrepancy) -> Mapping[str, object]:
    """Return everything that is known of a discrepancy."""
    return {"discrepancy": columns(discrepancy), "steps": all_columns(discrepancy.steps)}


@bp.get("/drugs/counts/<uuid:sheet_id>/print")
@requires(Permission.READ_DRUG_LOG)
def print_count(sheet_id: uuid.UUID) -> ResponseReturnValue:
    """A count sheet, or the inventory that the law asks for."""
    sheet = stock_queries.sheet(sheet_id) or abort(404)
    code = printed(AuditAction.DRUG_LOG_PRINTED, sheet, sheet_content(sheet), page=COUNT_SHEET)
    page = render_template("reports/count.html", sheet=sheet, schedules=report_queries.schedules(), code=code)
    return pdf.answer(page, name="count-sheet")


@bp.get("/drugs/counts/<uuid:sheet_id>/export.csv")
@requires(Permission.READ_DRUG_LOG)
def export_count(sheet_id: uuid.UUID) -> ResponseReturnValue:
    """A count sheet or inventory as comma-separated text."""
    sheet = stock_queries.sheet(sheet_id) or abort(404)
    return _csv(sheet, COUNT_SHEET, sheet_report(sheet, report_queries.schedules()))


def _csv(subject: StockCount | Discrepancy, page: str, made: Report) -> Response:
    """Answer with a report as comma-separated text, and write into the trail that it left."""
    reading.note(AuditAction.DRUG_LOG_PRINTED, subject, actor_id=actor().id, is_single=True, page=f"{page} as CSV")
    answer = Response(as_csv(made), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{page.replace(" ", "-")}.csv"'
    return answer


@bp.get("/drugs/discrepancies/<uuid:discrepancy_id>/print")
@requires(Permission.READ_DRUG_LOG)
def print_loss(discrepancy_id: uuid.UUID) -> ResponseReturnValue:
    """What is missing and what was done about it, without any patient, for the clinic to send."""
    discrepancy = stock_queries.discrepancy(discrepancy_id) or abort(404)
    code = printed(AuditAction.DRUG_LOG_PRINTED, discrepancy, loss_content(discrepancy), page=LOSS_REPORT)
    return pdf.answer(render_template("reports/loss.html", discrepancy=discrepancy, code=code), name="loss-report")


@bp.get("/drugs/discrepancies/<uuid:discrepancy_id>/export.csv")
@requires(Permission.READ_DRUG_LOG)
def export_loss(discrepancy_id: uuid.UUID) -> ResponseReturnValue:
    """A loss report as comma-separated text."""
    discrepancy = stock_queries.discrepancy(discrepancy_id) or abort(404)
    return _csv(discrepancy, LOSS_REPORT, loss_report(discrepancy, report_queries.schedules()))
