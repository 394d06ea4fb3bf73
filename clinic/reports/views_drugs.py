"""Controlled drugs on paper: count sheets and inventories, the report of a loss."""

import uuid
from collections.abc import Mapping

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from clinic.audit.rules import AuditAction
from clinic.core import pdf
from clinic.core.permissions import Permission, requires
from clinic.core.rows import all_columns, columns
from clinic.druglog import stock_queries
from clinic.druglog.models import Discrepancy
from clinic.druglog.models_settling import StockCount
from clinic.reports.views_shared import bp
from clinic.signatures.printing import printed


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
    code = printed(AuditAction.DRUG_LOG_PRINTED, sheet, sheet_content(sheet), page="count sheet")
    return pdf.answer(render_template("reports/count.html", sheet=sheet, code=code), name="count-sheet")


@bp.get("/drugs/discrepancies/<uuid:discrepancy_id>/print")
@requires(Permission.READ_DRUG_LOG)
def print_loss(discrepancy_id: uuid.UUID) -> ResponseReturnValue:
    """What is missing and what was done about it, without any patient, for the clinic to send."""
    discrepancy = stock_queries.discrepancy(discrepancy_id) or abort(404)
    code = printed(AuditAction.DRUG_LOG_PRINTED, discrepancy, loss_content(discrepancy), page="loss report")
    return pdf.answer(render_template("reports/loss.html", discrepancy=discrepancy, code=code), name="loss-report")
