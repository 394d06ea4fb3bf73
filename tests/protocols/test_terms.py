"""Terms travel as plain values and come back the same."""

import uuid
from dataclasses import fields, replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.orders.rules import is_breached
from clinic.protocols import operations, operations_review, queries
from clinic.protocols.comparison import differences, was_texts
from clinic.protocols.limit_words import BadLimit, limit_cell, limit_lines, read_limit
from clinic.protocols.models import Limit, PrnItem, Terms
from clinic.protocols.rules import Comparator, DoseBasis, LimitLevel, ProtocolStatus, Vital
from clinic.protocols.spacing_rules import SpacingKind
from clinic.protocols.terms import LimitDraft, TermsDraft, content_of, draft_of, make_terms
from clinic.protocols.terms_rules import contradictions
from clinic.protocols.wording import sentence
from clinic.signatures.rules import canonical
from tests.factories.accounts import PASSWORD
from tests.factories.protocols import WRITTEN


def saved(draft):
    terms = make_terms(draft)
    db.session.add(terms)
    db.session.flush()
    db.session.expire_all()
    return terms


def test_terms_come_back_from_the_database_as_they_were(make_draft):
    draft = make_draft()
    assert draft_of(saved(draft)) == draft


def test_signed_content_is_the_same_before_and_after_the_database(make_draft):
    draft = make_draft(start_amount=Decimal("0.20"))
    terms = make_terms(draft)
    db.session.add(terms)
    db.session.flush()
    before = canonical(content_of(terms))
    db.session.expire_all()
    assert canonical(content_of(terms)) == before


@pytest.mark.parametrize("name", [field.name for field in fields(TermsDraft) if field.name != "drug_id"])
def test_signed_content_covers_every_value(make_draft, name):
    spaced = {"weekdays": (1,), "every_days": 7, "gaps_days": (7, 14), "early_days": 1, "late_days": 1}
    doses = {"review_after": (2,), "start_amount": None, "session_amounts": (Decimal("0.2"), Decimal("0.4"))}
    assert name in content_of(saved(make_draft(spacing=SpacingKind.BLOCK, **spaced, **doses)))


def test_equal_terms_differ_in_nothing(make_draft):
    draft = make_draft()
    assert differences(draft, draft_of(saved(draft)), drugs=("a", "a")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drug_id": uuid.uuid4()}, ("Drug", "a", "b")),
        ({"apart_min_days": 1}, ("Apart at least", "2\u00a0days", "1\u00a0day")),
        ({"start_amount": Decimal("0.1")}, ("Start", "0.2\u00a0mg per kg per hour", "0.1\u00a0mg per kg per hour")),
        ({"duration_min": None}, ("Length", "120\u00a0min", "–")),
        ({"limits": ()}, ("Systolic, notify", "160 mmHg or less", "–")),
        ({"prn_items": ()}, ("As needed 1", "ondansetron 4\u00a0mg IV, once", "–")),
    ],
)
def test_a_difference_is_said_with_its_units(make_draft, change, said):
    draft = make_draft()
    assert said in differences(draft, replace(draft, **change), drugs=("a", "b"))


def test_what_a_value_was_stands_short_at_its_field(make_draft):
    draft = make_draft()
    assert was_texts(draft, replace(draft, highest_amount=Decimal("0.3")), word="was") == {"highest_amount": "was 0.35"}


def test_the_sentence_holds_what_is_signed(make_draft):
    said = sentence(make_draft(), drug_name="ketamine", weight_kg=Decimal("68.0"))
    for part in (
        "ketamine",
        "0.2\u00a0mg per kg per hour",
        "60\u00a0mg in total",
        "68\u00a0kg",
        "6 sessions",
        "2 to 7 days apart",
    ):
        assert part in said


# --- limits in words -------------------------------------------------------------------------------------------------

BOUNDS = st.decimals(min_value=-5, max_value=300, places=1, allow_nan=False)


@given(
    st.lists(st.tuples(st.sampled_from(Comparator), BOUNDS), min_size=1, max_size=4),
    st.decimals(min_value=-10, max_value=310, places=1, allow_nan=False),
)
def test_limits_read_again_breach_at_the_same_values(stated, value):
    level, vital = LimitLevel.NOTIFY, Vital.SBP
    limits = [LimitDraft(level, vital, comparator, bound) for comparator, bound in stated]
    text = limit_cell(limits, level, vital)
    try:
        again = read_limit(text, level, vital)
    except BadLimit:
        lows = [bound for comparator, bound in stated if comparator is Comparator.LT]
        highs = [bound for comparator, bound in stated if comparator is Comparator.GT]
        assert max(lows) > min(highs)  # nothing can stand between them
        return
    assert any(is_breached(limit, value) for limit in limits) == any(is_breached(limit, value) for limit in again)


@pytest.mark.parametrize("text", ["about 90", "90", "> 160", "160 to 90", "at least", "nan", "1e3", "90 to", "１２"])
def test_a_limit_that_cannot_be_read_is_never_guessed(text):
    with pytest.raises(BadLimit):
        read_limit(text, LimitLevel.HOLD, Vital.SBP)


def test_limits_are_read_aloud_with_their_units():
    limits = [
        *read_limit("at least 94%", LimitLevel.NOTIFY, Vital.SPO2),
        *read_limit("2 or less", LimitLevel.HOLD, Vital.NAUSEA),
    ]
    assert [text for _, _, text in limit_lines(limits)] == ["at least 94%", "2 or less"]


# --- contradictions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"highest_amount": Decimal("0.1")}, "highest_amount"),
        ({"maximum_duration_min": 60}, "maximum_duration_min"),
        ({"apart_max_days": 1}, "apart_max_days"),
        ({"maximum_rate_unit": None}, "maximum_rate"),
        ({"maximum_rate_unit": DoseBasis.MG}, "maximum_rate_unit"),
        ({"basis": DoseBasis.MG}, "step_amount"),
        ({"start_amount": Decimal(0)}, "start_amount"),
    ],
)
def test_values_that_cannot_both_hold_are_found(make_draft, change, field):
    assert field in [found.field for found in contradictions(replace(make_draft(), **change))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(basis=st.sampled_from(DoseBasis))
def test_terms_that_nobody_filled_in_contradict_nothing(basis, make_drug_once):
    assert contradictions(TermsDraft(drug_id=make_drug_once, basis=basis)) == []


@pytest.fixture
def make_drug_once(make_drug):
    return make_drug().id


# --- versions --------------------------------------------------------------------------------------------------------


def test_approval_retires_the_version_before(make_protocol_version, signing_physician):
    first = make_protocol_version()
    second = operations.new_version(first.protocol, draft_of(first.terms), by=signing_physician, at=WRITTEN)
    operations_review.submit(second, by=signing_physician, at=WRITTEN)
    operations_review.approve(second, by=signing_physician, password=PASSWORD, at=WRITTEN)
    assert [first.status, second.status] == [ProtocolStatus.RETIRED, ProtocolStatus.ACTIVE]
    assert queries.versions_in_use() == [second]


def test_one_draft_at_a_time(make_protocol_version, signing_physician):
    draft = make_protocol_version(approve=False)
    with pytest.raises(RuleBroken, match="being written"):
        operations.new_version(draft.protocol, draft_of(draft.terms), by=signing_physician, at=WRITTEN)


def test_a_draft_is_written_again_with_other_lines(make_protocol_version, make_draft, signing_physician):
    version = make_protocol_version(approve=False)
    changed = make_draft(duration_min=90, limits=make_draft().limits[:1], prn_items=())
    operations.revise(version, changed, by=signing_physician, at=WRITTEN)
    db.session.expire_all()
    assert draft_of(version.terms) == changed


def test_a_draft_that_moved_on_is_a_conflict(make_protocol_version, make_draft, signing_physician):
    version = make_protocol_version(approve=False)
    drawn = version.version
    operations.revise(version, make_draft(), drawn_version=drawn, by=signing_physician, at=WRITTEN)
    with pytest.raises(Conflict):
        operations.revise(version, make_draft(), drawn_version=drawn, by=signing_physician, at=WRITTEN)


def test_an_approved_version_is_not_written_again(make_protocol_version, make_draft, signing_physician):
    with pytest.raises(RuleBroken, match="never changes"):
        operations.revise(make_protocol_version(), make_draft(), by=signing_physician, at=WRITTEN)


@pytest.mark.parametrize(
    "act",
    [
        lambda terms: sa.update(Terms).where(Terms.id == terms.id).values(maximum_total_mg=Decimal(999)),
        lambda terms: sa.delete(Terms).where(Terms.id == terms.id),
        lambda terms: sa.update(Limit).where(Limit.terms_id == terms.id).values(bound=Decimal(999)),
        lambda terms: sa.delete(PrnItem).where(PrnItem.terms_id == terms.id),
    ],
)
def test_the_database_keeps_approved_terms_as_they_are(make_protocol_version, act):
    terms = make_protocol_version().terms
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(act(terms).execution_options(synchronize_session=False))


def test_nothing_is_added_to_approved_terms(make_protocol_version):
    terms = make_protocol_version().terms
    row = {"level": LimitLevel.HOLD, "vital": Vital.HR, "comparator": Comparator.LT, "bound": Decimal(40)}
    db.session.add(Limit(terms_id=terms.id, position=99, **row))
    with pytest.raises(DatabaseError):
        db.session.flush()


def test_the_formulary_has_a_drug_once(make_drug):
    make_drug("ketamine")
    with pytest.raises(RuleBroken, match="already"):
        make_drug("ketamine")
