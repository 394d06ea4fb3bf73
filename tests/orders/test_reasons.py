"""What stands outside a soft limit is signed with a written reason, or not at all."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.findings import FindingLevel
from clinic.orders import operations, queries
from clinic.orders.models import AcknowledgedExcess
from clinic.orders.rules import DoseBasis
from clinic.signatures.rules import seen_code
from tests.factories.courses import SIGNED

LATER = SIGNED + timedelta(days=2)


STEPS_OVER = {"maximum_total_mg": Decimal(35)}


def test_a_plan_that_only_its_steps_lift_over_the_maximum_needs_a_written_reason(make_order_version, sign):
    version = make_order_version(sign=False, **STEPS_OVER)
    with pytest.raises(RuleBroken, match="Say why") as refusal:
        sign(version, reason=" ")
    assert refusal.value.field == "excess_reason"
    sign(version, reason="Tolerated before.")
    (kept,) = queries.version(version.id).excesses
    assert (kept.code, kept.reason) == ("steps-over-maximum", "Tolerated before.")
    assert kept.facts["maximum_mg"] == "35"


def test_the_reason_is_signed_with_the_order(make_order_version, sign):
    signature = sign(make_order_version(sign=False, **STEPS_OVER), reason="Tolerated before.")
    assert "Tolerated before." in signature.content


def test_nothing_is_kept_where_nothing_stands_outside(make_order_version, sign):
    version = make_order_version(sign=False)
    sign(version, reason="Typed for nothing.")
    assert queries.version(version.id).excesses == []


def test_a_question_that_nobody_asked_needs_a_written_reason(make_order_version, make_question, sign):
    version = make_order_version(sign=False)
    make_question("ketamine")
    with pytest.raises(RuleBroken, match="Not asked yet"):
        sign(version)
    assert sign(version, reason="Asked by the referrer on 3-Nov.")


@pytest.mark.parametrize("level", FindingLevel)
def test_beyond_its_protocol_an_order_asks_for_a_reason_or_is_refused(
    make_order_version, sign, clinic, make_draft, level
):
    clinic.beyond_protocol_level = level
    version = make_order_version(sign=False)
    protocol = make_draft(maximum_total_mg=Decimal(50))
    with pytest.raises(RuleBroken, match="the protocol's is 50"):
        sign(version, protocol=protocol)
    if level is FindingLevel.HARD:
        with pytest.raises(RuleBroken, match="the protocol's is 50"):
            sign(version, protocol=protocol, reason="All the same.")
    else:
        assert sign(version, protocol=protocol, reason="All the same.")


def test_no_plan_passes_the_course_maximum(make_order_version, sign):
    # 13.6 mg/h for 2 h in 6 sessions are 163.2 mg before any step.
    with pytest.raises(RuleBroken, match="6 sessions; the course maximum is 163"):
        sign(make_order_version(sign=False, course_maximum_mg=Decimal(163)), reason="All the same.")


def test_what_came_up_after_reading_is_not_signed_with_a_reason_for_something_else(
    make_order_version, make_question, sign
):
    version = make_order_version(sign=False, **STEPS_OVER)
    seen = seen_code(operations.seen_content(version, operations.problems(version, on=date(2025, 11, 17))))
    make_question("ketamine")
    with pytest.raises(Conflict):
        sign(version, seen=seen, reason="Tolerated before.")


def test_the_database_keeps_the_reason_as_it_is(make_order_version, sign):
    sign(make_order_version(sign=False, **STEPS_OVER), reason="Tolerated before.")
    for act in (sa.update(AcknowledgedExcess).values(reason="Another."), sa.delete(AcknowledgedExcess)):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(act.execution_options(synchronize_session=False))


# --- the weight moved ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "is_said"), [(None, False), (10, True), (11, False)])
def test_a_draft_worked_out_with_a_weight_that_has_moved_since_needs_a_reason(
    make_order_version, make_weight, clinic, percent, is_said
):
    version = make_order_version(sign=False)
    make_weight(version.order.patient, "75.0", measured_at=LATER)
    clinic.weight_change_percent = percent
    found = [finding.code for finding in operations.problems(version)]
    assert ("weight-changed" in found) is is_said


def test_an_order_that_needs_no_weight_does_not_mind(make_order_version, make_weight, clinic):
    version = make_order_version(
        sign=False, basis=DoseBasis.MG_PER_H, maximum_rate=None, maximum_rate_unit=None, start_amount=Decimal(10)
    )
    make_weight(version.order.patient, "75.0", measured_at=LATER)
    clinic.weight_change_percent = 1
    assert "weight-changed" not in [finding.code for finding in operations.problems(version)]
