"""The share of responders by drug and protocol, by the clinic's own definition."""

from datetime import date, datetime, time, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.audit import reading
from clinic.audit.rules import AuditAction
from clinic.core import times
from clinic.core.permissions import Permission, requires
from clinic.outcomes import queries
from clinic.outcomes.forms import PeriodForm
from clinic.outcomes.pages import definition, measures, report, rule_in_force
from clinic.outcomes.views_shared import bp, zone
from clinic.outcomes.wording import response_words


@bp.get("/responses")
@requires(Permission.READ_OUTCOME)
def show_report() -> ResponseReturnValue:
    form = PeriodForm(request.args)
    is_good = form.validate()
    rule, asked = rule_in_force(), measures()
    defined = definition(rule, asked) if rule is not None else None
    rows, whole = None, None
    if is_good and rule is not None and defined is not None:
        courses = queries.treated_courses(_start(form.since.data), _start(form.until.data, days=1))
        rows, whole = report(rule, defined, courses)
        reading.note(AuditAction.BOARD_READ, None, actor_id=actor().id, page="responses")
    page = render_template(
        "outcomes/report.html",
        form=form,
        rows=rows,
        total=whole,
        definition=response_words(rule, asked) if rule is not None else "",
    )
    return page, 200 if is_good else 422


def _start(day: date | None, *, days: int = 0) -> datetime | None:
    """The first instant of a day of the clinic."""
    return None if day is None else times.from_local(day + timedelta(days=days), time(0), zone(), 0)
