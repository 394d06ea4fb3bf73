"""At a hand-over both nurses type the rate, each alone, where the clinic asks for it; a difference stops it."""

from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.sessions import operations
from clinic.sessions.event_rules import Actuality, CheckPurpose
from tests.factories.accounts import PASSWORD
from tests.factories.sessions import minute


@pytest.fixture
def make_offered(clinic, make_running, nurse, checker):
    """A running session that the nurse offers to the other one, with the rate that she read on the pump."""

    def make(rate="13.6"):
        clinic.is_hand_over_checked = True
        infusion = make_running()
        read = Decimal(rate) if rate else None
        offer = operations.offer_hand_over(infusion, checker, text="calm", rate_ml_h=read, by=nurse, at=minute(5))
        return infusion, offer

    return make


def test_an_offer_tells_the_rate_on_the_pump(make_offered):
    with pytest.raises(RuleBroken, match="read on the pump"):
        make_offered(None)
    _, offer = make_offered()
    assert (offer.proposal.purpose, offer.proposal.rate_ml_h) == (CheckPurpose.HAND_OVER, Decimal("13.6"))


def test_nobody_takes_over_without_the_own_number(make_offered, checker):
    _, offer = make_offered()
    with pytest.raises(RuleBroken, match="Compute the rate first"):
        operations.accept_hand_over(offer, by=checker, at=minute(6))


def test_the_same_rate_hands_the_session_over(nurses_browser, make_offered, checker, second_nurse):
    infusion, offer = make_offered()
    page = nurses_browser.get(f"/sessions/{infusion.id}")
    address = f"/sessions/{infusion.id}/double-check/{offer.proposal_id}"
    assert address in page.text
    assert "13.6" not in nurses_browser.get(address).text
    sent = {"computed_rate_ml_h": "13.6", "password": PASSWORD}
    assert "was offered to" in nurses_browser.post(address, data=sent | {"checker": str(infusion.nurse_id)}).text
    done = nurses_browser.post(address, data=sent | {"checker": str(checker.id)}, follow_redirects=True)
    assert "has the session" in done.text
    assert infusion.nurse_id == checker.id


def test_another_rate_stops_the_hand_over_and_is_a_near_miss(nurses_browser, make_offered, nurse, checker):
    infusion, offer = make_offered()
    address = f"/sessions/{infusion.id}/double-check/{offer.proposal_id}"
    sent = {"computed_rate_ml_h": "16.3", "password": PASSWORD, "checker": str(checker.id)}
    done = nurses_browser.post(address, data=sent, follow_redirects=True)
    assert "The two rates differed. The session stays with" in done.text
    assert infusion.nurse_id == nurse.id
    (check,) = offer.proposal.double_checks
    assert (offer.proposal.rate_ml_h, check.computed_rate_ml_h) == (Decimal("13.6"), Decimal("16.3"))
    assert [one.actuality for one in infusion.adverse_events] == [Actuality.POTENTIAL]


def test_without_the_clinics_word_no_rate_is_asked(make_running, second_nurse, nurse):
    infusion = make_running()
    offer = operations.offer_hand_over(infusion, second_nurse, text=None, by=nurse, at=minute(5))
    assert operations.accept_hand_over(offer, by=second_nurse, at=minute(6))


def test_the_clinic_may_ask_for_a_second_person_at_every_change(clinic, make_running, make_double_check, nurse):
    infusion = make_running()
    change = {"rate_ml_h": Decimal("10.2"), "happened_at": minute(20), "reason": "sleepy", "by": nurse}
    clinic.is_every_rate_checked = True
    with pytest.raises(RuleBroken, match="second person computes"):
        operations.change_rate(infusion, at=minute(20), **change)
    check = make_double_check(infusion, "10.2", purpose=CheckPurpose.RATE_CHANGE, at=minute(20))
    assert operations.change_rate(infusion, double_check=check, at=minute(20), **change)
