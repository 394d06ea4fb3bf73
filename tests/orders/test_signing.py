"""An order is drafted, signed, superseded; what was signed never changes."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.orders import operations, queries
from clinic.orders.models import OrderDraft, OrderVersion
from clinic.orders.rules import OrderStatus
from clinic.patients import operations as patients
from clinic.patients import queries as patient_queries
from clinic.protocols.models import CheckItem, Limit, ObservationPhase, PrnItem, Terms
from clinic.protocols.terms import draft_from, draft_of
from clinic.signatures import operations as signatures
from clinic.signatures.rules import Verdict, seen_code
from tests.factories.courses import DRAFTED, SIGNED

LATER = SIGNED + timedelta(days=2)


def test_a_signed_order_is_in_force_and_sealed(make_order_version):
    version = make_order_version()
    assert version.status is OrderStatus.ACTIVE
    assert version.terms.sealed_at == SIGNED
    assert queries.in_force(version.order_id, date(2025, 11, 18)) is version


@pytest.mark.parametrize(
    ("on", "found"), [(date(2025, 11, 16), False), (date(2025, 11, 17), True), (date(2026, 6, 1), False)]
)
def test_an_order_is_in_force_on_its_days_alone(make_order_version, on, found):
    version = make_order_version()
    assert (queries.in_force(version.order_id, on) is version) is found


def test_the_next_version_supersedes_when_it_is_signed(make_order_version):
    first = make_order_version()
    second = make_order_version(order=first.order)
    assert [first.status, second.status] == [OrderStatus.SUPERSEDED, OrderStatus.ACTIVE]
    assert queries.current_version(first.order_id) is second


def test_the_version_before_stays_readable_with_its_signature(make_order_version):
    first = make_order_version()
    make_order_version(order=first.order, start_amount=Decimal("0.1"))
    old = queries.version_numbered(first.order_id, 1)
    assert old.terms.start_amount == Decimal("0.2")
    assert signatures.verify(old.signature, operations.version_content(old)) is Verdict.VALID


def test_the_signature_covers_the_weight(make_order_version, make_weight):
    version = make_order_version(sign=False)
    content = operations.version_content(version)
    assert content["weight"]["kg"] == 68
    assert content["weight_used_kg"] == 68


def test_a_version_that_moved_on_since_it_was_read_is_not_signed(make_order_version, sign):
    version = make_order_version(sign=False)
    with pytest.raises(Conflict):
        sign(version, seen="0" * 64)
    assert version.status is OrderStatus.DRAFT


def test_what_was_written_again_after_reading_is_not_signed(make_order_version, make_draft, signing_physician, sign):
    version = make_order_version(sign=False)
    read = seen_code(operations.seen_content(version, operations.problems(version)))
    operations.revise(
        version,
        make_draft(start_amount=Decimal("0.1")),
        weight=version.weight,
        valid_from=None,
        valid_until=None,
        sessions_allowed=6,
        by=signing_physician,
        at=LATER,
    )
    with pytest.raises(Conflict):
        sign(version, seen=read)


def test_every_text_of_a_draft_is_kept(make_order_version, make_draft, signing_physician):
    version = make_order_version(sign=False)
    first = draft_of(version.terms)
    frame = {"weight": version.weight, "valid_from": None, "valid_until": None, "sessions_allowed": 6}
    second = make_draft(start_amount=Decimal("0.1"))
    operations.revise(version, second, **frame, by=signing_physician, at=LATER)
    kept = [json.loads(queries.kept_draft(version.id, number).content) for number in (1, version.version)]
    assert [draft_from(content["terms"], version.terms.drug_id) for content in kept] == [first, second]


def test_a_wrong_password_signs_nothing(make_order_version, sign):
    version = make_order_version(sign=False)
    with pytest.raises(RuleBroken) as refusal:
        sign(version, password="guess")
    assert refusal.value.field == "password"
    assert version.status is OrderStatus.DRAFT


def test_an_order_is_signed_once(make_order_version, sign):
    with pytest.raises(RuleBroken, match="already"):
        sign(make_order_version())


def test_an_expired_order_is_not_signed(make_order_version, sign):
    version = make_order_version(sign=False)
    with pytest.raises(RuleBroken, match="31-May-2026"):
        sign(version, at=datetime(2026, 6, 1, 12, tzinfo=UTC))


def test_the_last_day_is_the_clinics_own(make_order_version, sign):
    # 31-May 23:30 in New York is 1-Jun 03:30 UTC.
    version = make_order_version(sign=False)
    assert sign(version, at=datetime(2026, 6, 1, 3, 30, tzinfo=UTC)).signed_at


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"maximum_total_mg": Decimal(20)}, "session maximum is 20"),
        ({"maximum_rate": Decimal("0.1")}, "maximum rate is 0.1"),
        ({"concentration_mg_ml": None}, "Enter the concentration"),
    ],
)
def test_an_order_outside_its_own_bounds_is_not_signed(make_order_version, sign, terms, said):
    with pytest.raises(RuleBroken, match=said):
        sign(make_order_version(sign=False, **terms))


def test_an_unsettled_answer_is_settled_before_signing(make_order_version, make_answer, make_question, sign, physician):
    version = make_order_version(sign=False)
    answer = make_answer(version.order.patient, question=make_question("ketamine"))
    with pytest.raises(RuleBroken, match="Settle"):
        sign(version)
    patients.settle_screening(answer, "Controlled.", by=physician, at=SIGNED)
    assert sign(version)


def test_a_question_of_another_drug_stops_nothing(make_order_version, make_answer, make_question, sign):
    version = make_order_version(sign=False)
    make_answer(version.order.patient, question=make_question("lidocaine"))
    assert sign(version)


def test_an_allergy_to_the_drug_stops_the_signature(make_patient, make_order_version, sign):
    version = make_order_version(make_patient(allergies=["Ketamine"]), sign=False)
    with pytest.raises(RuleBroken, match="allergy"):
        sign(version)


def test_another_patients_weight_is_refused(make_order_version, make_patient, make_weight):
    with pytest.raises(RuleBroken, match="another patient"):
        make_order_version(make_patient(), weight=make_weight(make_patient()), sign=False)


def test_the_next_version_needs_its_reason(make_order_version, make_draft, signing_physician):
    first = make_order_version()
    with pytest.raises(RuleBroken, match="why"):
        operations.draft(
            first.order.patient,
            make_draft(),
            weight=first.weight,
            valid_from=None,
            valid_until=None,
            sessions_allowed=None,
            order=first.order,
            by=signing_physician,
            at=LATER,
        )


def test_one_draft_of_an_order_at_a_time(make_order_version):
    first = make_order_version()
    make_order_version(order=first.order, sign=False)
    with pytest.raises(RuleBroken, match="being written"):
        make_order_version(order=first.order, sign=False)


# --- the database has the last word ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"weight_used_kg": Decimal(99)},
        {"valid_until": date(2030, 1, 1)},
        {"sessions_allowed": 99},
        {"signature_id": None},
        {"number": 7},
        {"change_reason": "Another."},
    ],
)
def test_the_database_keeps_a_signed_version_as_it_is(make_order_version, values):
    version = make_order_version()
    change = sa.update(OrderVersion).where(OrderVersion.id == version.id).values(values)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(change.execution_options(synchronize_session=False))


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Terms, {"start_amount": Decimal(9)}),
        (Terms, {"sealed_at": None}),
        (Limit, {"bound": Decimal(999)}),
        (PrnItem, {"dose": Decimal(99)}),
        (ObservationPhase, {"every_min": 999}),
        (CheckItem, {"text": "Another"}),
    ],
)
def test_the_database_keeps_signed_terms_as_they_are(make_order_version, model, values):
    terms_id = make_order_version().terms_id
    key = model.id if model is Terms else model.terms_id
    for act in (sa.update(model).where(key == terms_id).values(values), sa.delete(model).where(key == terms_id)):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(act.execution_options(synchronize_session=False))


def test_an_unsigned_draft_may_be_changed(make_order_version):
    version = make_order_version(sign=False)
    version.terms.start_amount = Decimal("0.1")
    db.session.flush()
    assert queries.version(version.id).terms.start_amount == Decimal("0.1")


def test_the_database_lets_no_two_versions_be_in_force(make_order_version):
    first = make_order_version()
    second = make_order_version(order=first.order)
    change = sa.update(OrderVersion).where(OrderVersion.id == first.id).values(status=OrderStatus.ACTIVE)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(change.execution_options(synchronize_session=False))
    assert second.status is OrderStatus.ACTIVE


# --- cost ------------------------------------------------------------------------------------------------------------


def test_an_order_costs_the_same_reads_whatever_it_holds(make_order_version, make_draft, count_queries):
    first = make_order_version()
    db.session.expire_all()
    with count_queries() as few:
        draft_of(queries.version(first.id).terms)
    make_order_version(order=first.order, draft=make_draft(limits=make_draft().limits * 4), at=DRAFTED)
    db.session.expire_all()
    with count_queries() as many:
        draft_of(queries.current_version(first.order_id).terms)
    assert len(many) == len(few)


def test_the_newest_measured_weight_is_the_one_to_dose_on(make_patient, make_weight):
    patient = make_patient()
    make_weight(patient, "68")
    newest = make_weight(patient, "69", measured_at=LATER)
    assert patient_queries.last_weight(patient.id, measured_only=True) is newest


def test_the_database_keeps_every_text_of_a_draft(make_order_version):
    make_order_version(sign=False)
    for act in (sa.update(OrderDraft).values(content="{}"), sa.delete(OrderDraft)):
        with pytest.raises(DatabaseError), db.session.begin_nested():
            db.session.execute(act.execution_options(synchronize_session=False))
