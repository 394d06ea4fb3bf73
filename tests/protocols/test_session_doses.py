"""A dose for each session: typed, read back in words, held together with the plan, kept by the database."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from clinic.core import db
from clinic.core.units import Unit
from clinic.orders.plan_rules import in_session
from clinic.protocols.rules import DoseBasis
from clinic.protocols.session_doses import BadAmounts, amount_for, amounts_text, amounts_typed, read_amounts
from clinic.protocols.terms import content_of, make_terms
from clinic.protocols.terms_rules import contradictions
from clinic.protocols.wording import sentence

STEPPED = (Decimal("0.2"), Decimal("0.4"), Decimal("0.4"), Decimal("0.6"))


@given(st.lists(st.decimals("0.0001", 999_999, places=4), min_size=1, max_size=30).map(tuple))
def test_what_is_written_is_read_again(amounts):
    assert read_amounts(amounts_typed(amounts)) == amounts


@pytest.mark.parametrize(
    "text", ["0,2, 0,4", "0.2,0.4", "0.2 0.4", "0.2, , 0.4", "0.2, 0", "0 x 2", "0.2, -1", "1e2", "201 x 1"]
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(text):
    with pytest.raises(BadAmounts):
        read_amounts(text)


def test_neighbours_with_the_same_dose_are_read_together():
    said = amounts_text(STEPPED, Unit.MG_PER_KG_H).replace("\u00a0", " ")
    assert said == (
        "session 1: 0.2 mg per kg per hour, sessions 2 to 3: 0.4 mg per kg per hour, session 4: 0.6 mg per kg per hour"
    )


def test_a_session_beyond_the_list_has_no_dose(make_draft):
    draft = make_draft(start_amount=None, session_amounts=STEPPED)
    assert [amount_for(draft, number) for number in range(6)] == [None, *STEPPED, None]
    assert in_session(draft, 4).start_amount == Decimal("0.6")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"start_amount": Decimal("0.2"), "sessions_planned": 4}, "not both"),
        ({"sessions_planned": 5}, "5 sessions planned, 4 sessions with a dose"),
        ({"sessions_planned": None}, "Enter the number of sessions"),
        ({"sessions_planned": 4, "highest_amount": Decimal("0.5")}, "highest rate is under the start"),
    ],
)
def test_doses_that_do_not_fit_the_plan_contradict_it(make_draft, values, words):
    chosen = {"start_amount": None, "session_amounts": STEPPED, "highest_amount": None, "step_amount": None} | values
    assert any(words in found.message for found in contradictions(make_draft(**chosen)))


def test_the_order_is_signed_with_every_dose(make_draft):
    draft = make_draft(start_amount=None, session_amounts=STEPPED[:2], sessions_planned=2, basis=DoseBasis.MG)
    said = sentence(draft, drug_name="ketamine").replace("\u00a0", " ")
    assert "give 0.2 mg in session 1, 0.4 mg in session 2, each over 120 min" in said


def test_an_order_with_one_dose_signs_the_content_it_always_had(make_draft):
    assert "session_amounts" not in content_of(_saved(make_draft()))


def test_the_database_takes_one_dose_or_one_for_each_never_both(make_draft):
    with pytest.raises(IntegrityError, match="one_dose_or_one_for_each_session"), db.unit_of_work():
        _saved(make_draft(session_amounts=STEPPED))


def _saved(draft):
    terms = make_terms(draft)
    db.session.add(terms)
    db.session.flush()
    return terms
