"""Orders of a physician whose orders are co-signed: whether they are used before, the clinic's rule says."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Role
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision, CourseStatus
from clinic.orders import cosigning
from clinic.orders.queries import order_in_force
from clinic.orders.rules import OrderCosign, OrderStatus
from clinic.protocols.terms import draft_of
from clinic.sessions.readiness import order_findings
from tests.factories.accounts import PASSWORD
from tests.factories.courses import SIGNED

LATER = SIGNED + timedelta(hours=1)


@pytest.fixture
def resident(make_staff):
    return make_staff(Role.PHYSICIAN, family_name="Marsh", password=PASSWORD)


@pytest.fixture
def set_rule(signing_physician):
    def make(staff, cosign, *, cosigner=None, by=None):
        with db.unit_of_work():
            return cosigning.set_rule(
                staff, cosign, cosigner=cosigner, reason="In training.", by=by or signing_physician,
                password=PASSWORD, at=SIGNED,
            )  # fmt: skip

    return make


@pytest.fixture
def cosign(signing_physician):
    def do(course, *, by=None, **how):
        version = course.order.versions[-1]
        return courses.cosign_order(course, version, by=by or signing_physician, password=PASSWORD, at=LATER, **how)

    return do


@pytest.fixture
def of_resident(make_course, set_rule, resident):
    """A course whose first order the resident signed under the rule."""

    def make(cosign=OrderCosign.FIRST):
        set_rule(resident, cosign)
        return make_course(physician=resident)

    return make


def next_version(course, by):
    version = courses.adjust(
        course, draft_of(course.order.versions[-1].terms), reason="Less.", weight=course.order.versions[-1].weight,
        valid_from=None, valid_until=None, by=by, at=LATER,
    )  # fmt: skip
    courses.sign_order(course, version, by=by, password=PASSWORD, at=LATER, reason="Discussed.")
    db.session.expire(course.order)
    return version


def test_nothing_is_used_before_the_cosignature_where_the_clinic_says_so(of_resident):
    course = of_resident()
    version = course.order.versions[0]
    assert (version.status, course.status) == (OrderStatus.PENDING_SIGNATURE, CourseStatus.DRAFT)
    assert order_in_force(course.order_id) is None
    assert [found.code for found in order_findings(version, SIGNED.date())] == ["order-not-in-force"]


def test_the_cosignature_brings_it_into_force(of_resident, cosign):
    course = of_resident()
    cosign(course)
    assert (course.order.versions[0].status, course.status) == (OrderStatus.ACTIVE, CourseStatus.ACTIVE)


def test_it_is_used_meanwhile_where_the_clinic_says_so(of_resident, cosign):
    course = of_resident(OrderCosign.LATER)
    version = course.order.versions[0]
    assert (version.status, version.needs_cosignature) == (OrderStatus.ACTIVE, True)
    cosign(course)
    assert not version.needs_cosignature


def test_the_version_before_stands_until_then(make_course, set_rule, resident, cosign):
    course = make_course()
    set_rule(resident, OrderCosign.FIRST)
    version = next_version(course, resident)
    assert order_in_force(course.order_id).number == 1
    cosign(course)
    assert (order_in_force(course.order_id).id, course.order.versions[0].status) == (
        version.id,
        OrderStatus.SUPERSEDED,
    )


def test_nobody_writes_another_version_meanwhile(make_course, set_rule, resident, signing_physician):
    course = make_course()
    set_rule(resident, OrderCosign.FIRST)
    next_version(course, resident)
    with pytest.raises(RuleBroken, match="waits for its co-signature"):
        next_version(course, signing_physician)


def test_no_statement_brings_it_into_force(of_resident):
    version = of_resident().order.versions[0]
    for change in ("status = 'active'", "cosign = 'later'", "cosign = NULL"):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(
                sa.text(f"UPDATE order_version SET {change} WHERE id = :id").bindparams(
                    sa.bindparam("id", version.id, sa.Uuid())
                )
            )


def test_its_signer_and_others_in_training_do_not_cosign_it(of_resident, set_rule, make_staff, resident, cosign):
    course, second = of_resident(), make_staff(Role.PHYSICIAN, password=PASSWORD)
    set_rule(second, OrderCosign.LATER)
    with pytest.raises(RuleBroken, match="Another physician co-signs"):
        cosign(course, by=resident)
    with pytest.raises(RuleBroken, match="Your own orders are co-signed"):
        cosign(course, by=second)


def test_a_rule_for_all_asks_for_any_other_physician(set_rule, make_course, other_physician, cosign):
    set_rule(None, OrderCosign.FIRST)
    course = make_course()
    with pytest.raises(RuleBroken, match="Another physician"):
        cosign(course)
    cosign(course, by=other_physician)
    assert course.status is CourseStatus.ACTIVE


def test_somebody_in_training_does_not_lift_the_rule(set_rule, resident):
    set_rule(resident, OrderCosign.FIRST)
    with pytest.raises(RuleBroken, match="Your own orders"):
        set_rule(resident, None, by=resident)


def test_what_was_not_read_is_not_cosigned(of_resident, cosign):
    with pytest.raises(Conflict):
        cosign(of_resident(), seen="")


def test_what_stands_against_it_by_then_refuses_the_cosignature(make_course, set_rule, resident, signing_physician):
    set_rule(resident, OrderCosign.FIRST)
    version = make_course(physician=resident, valid_until=SIGNED.date()).order.versions[0]
    with pytest.raises(RuleBroken, match="valid until"):
        cosigning.cosign(version, by=signing_physician, password=PASSWORD, at=SIGNED + timedelta(days=2))


def test_sent_back_it_never_stands_and_the_next_is_written_from_it(of_resident, resident, signing_physician, cosign):
    course = of_resident()
    cosigning.decline(course.order.versions[0], "Which weight?", by=signing_physician, at=LATER)
    assert course.order.versions[0].status is OrderStatus.CANCELLED
    next_version(course, resident)
    cosign(course)
    assert (course.status, order_in_force(course.order_id).number) == (CourseStatus.ACTIVE, 2)


def test_one_that_ends_with_its_course_was_not_sent_back(make_course, set_rule, resident, signing_physician):
    course = make_course()
    set_rule(resident, OrderCosign.FIRST)
    version = next_version(course, resident)
    courses.review(course, CourseDecision.DISCONTINUE, "Moved away.", by=signing_physician, at=LATER)
    assert (version.status, version.is_declined) == (OrderStatus.CANCELLED, False)


def test_an_order_in_use_is_not_sent_back(of_resident, signing_physician):
    with pytest.raises(RuleBroken, match="in force"):
        cosigning.decline(of_resident(OrderCosign.LATER).order.versions[0], "No.", by=signing_physician, at=LATER)


def test_the_signature_covers_that_it_is_to_be_cosigned(of_resident):
    assert '"cosign":{"by":null,"when":"first"}' in of_resident().order.versions[0].signature.content
