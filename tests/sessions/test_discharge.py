"""How a visit ends, and that it ends nobody's way with drug unaccounted for."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.druglog import operations as druglog
from clinic.druglog.models import Discrepancy
from clinic.protocols.rules import DischargeScale
from clinic.scheduling.rules import AppointmentStatus
from clinic.sessions import operations
from clinic.sessions.event_rules import DischargeExit
from clinic.sessions.rules import SessionStatus
from tests.factories.sessions import ARRIVED, minute

ASKED = {
    "discharge_scale": DischargeScale.MPADSS,
    "discharge_cutoff": 9,
    "recovery_min": 30,
    "is_escort_required": True,
}


@pytest.fixture
def plain(make_drug):
    """An order of a drug that is not controlled, with the usual discharge criteria."""
    return ASKED | {"drug_id": make_drug("lidocaine", is_controlled=False).id}


@pytest.fixture
def score(nurse):
    def act(infusion, items=(2, 2, 2, 2, 2), *, minutes=90, scale=DischargeScale.MPADSS):
        when = minute(minutes)
        return operations.assess_discharge(infusion, scale, items, assessed_at=when, by=nurse, at=when)

    return act


@pytest.fixture
def leave(nurse):
    def act(infusion, *, minutes=100, **values):
        chosen = {
            "exit": DischargeExit.HOME_WITH_ESCORT,
            "is_cannula_removed": True,
            "is_escort_present": True,
            "escort_name": "Jo Almeida",
            "instructions": "Ketamine leaflet v4",
            "language": "en",
        }
        when = minute(minutes)
        return operations.discharge(infusion, discharged_at=when, by=nurse, at=when, **(chosen | values))

    return act


def discrepancies():
    return db.session.scalars(sa.select(Discrepancy)).all()


def test_goes_home_when_everything_is_met(make_stopped, plain, score, leave):
    infusion = make_stopped(**plain)
    score(infusion)
    row = leave(infusion)
    assert infusion.status is SessionStatus.CLOSED_HOME
    assert (row.escort_name, row.instructions_language) == ("Jo Almeida", "en")


def test_the_appointment_is_fulfilled_and_frees_its_time(make_stopped, plain, score, leave):
    infusion = make_stopped(**plain)
    score(infusion)
    leave(infusion, minutes=95)
    assert infusion.appointment.status is AppointmentStatus.FULFILLED
    assert infusion.appointment.ends_at == minute(95)


def test_an_appointment_that_ran_over_keeps_its_end(make_stopped, plain, score, leave):
    infusion = make_stopped(**plain)
    ends_at = infusion.appointment.ends_at
    score(infusion)
    leave(infusion, minutes=300)
    assert infusion.appointment.ends_at == ends_at


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_escort_present": False}, "escort has not taken over"),
        ({"is_cannula_removed": False}, "cannula"),
        ({"instructions": None}, "instructions"),
        ({"escort_name": " "}, "Name the escort"),
        ({"exit": DischargeExit.HOME_ALONE}, "escort has not taken over"),
        ({"minutes": 80}, "the order asks for 30"),
    ],
)
def test_nobody_goes_home_with_something_open(make_stopped, plain, score, leave, values, words):  # noqa: PLR0917 a table
    infusion = make_stopped(**plain)
    score(infusion, minutes=75)
    with pytest.raises(RuleBroken, match=words):
        leave(infusion, **values)
    assert infusion.status is SessionStatus.RECOVERING


def test_goes_home_alone_where_the_order_asks_for_no_escort(make_stopped, plain, score, leave):
    infusion = make_stopped(**(plain | {"is_escort_required": False}))
    score(infusion)
    leave(infusion, exit=DischargeExit.HOME_ALONE, escort_name=None, is_escort_present=False)
    assert infusion.status is SessionStatus.CLOSED_HOME


@pytest.mark.parametrize(
    ("items", "words"), [((2, 2, 2, 1, 1), "MPADSS is 8"), ((2, 2, 2, 2, None), "not complete"), (None, "not complete")]
)
def test_a_score_below_the_orders_keeps_the_patient(make_stopped, plain, score, leave, items, words):  # noqa: PLR0917 a table
    infusion = make_stopped(**plain)
    if items:
        score(infusion, items)
    with pytest.raises(RuleBroken, match=words):
        leave(infusion)


def test_the_latest_score_counts(make_stopped, plain, score, leave):
    infusion = make_stopped(**plain)
    score(infusion, (2, 2, 2, 2, 2), minutes=70)
    score(infusion, (0, 0, 2, 2, 2), minutes=90)
    with pytest.raises(RuleBroken, match="MPADSS is 6"):
        leave(infusion)


def test_another_scale_does_not_count(make_stopped, plain, score, leave):
    infusion = make_stopped(**plain)
    score(infusion, scale=DischargeScale.ALDRETE)
    with pytest.raises(RuleBroken, match="MPADSS is not complete"):
        leave(infusion)


def test_a_physician_overrides_the_score_with_a_reason(make_stopped, plain, leave, physician):
    infusion = make_stopped(**plain)
    with pytest.raises(RuleBroken, match="why"):
        leave(infusion, override_by=physician)
    row = leave(infusion, override_by=physician, override_reason="Baseline gait")
    assert (row.override_by_id, row.override_reason) == (physician.id, "Baseline gait")


def test_a_nurse_does_not_override(make_stopped, plain, leave, second_nurse):
    with pytest.raises(RuleBroken, match="physician"):
        leave(make_stopped(**plain), override_by=second_nurse, override_reason="Fine")


def test_a_running_infusion_is_stopped_first(make_running, plain, leave):
    with pytest.raises(RuleBroken, match="Stop the infusion"):
        leave(make_running(**plain), exit=DischargeExit.TRANSFER, destination="General Hospital")


@pytest.mark.parametrize(
    ("way", "values", "status"),
    [
        (DischargeExit.TRANSFER, {"destination": "General Hospital"}, SessionStatus.CLOSED_TRANSFER),
        (DischargeExit.ADMITTED, {"destination": "Ward 4"}, SessionStatus.CLOSED_TRANSFER),
        (DischargeExit.AGAINST_ADVICE, {"reason": "Would not wait"}, SessionStatus.CLOSED_AGAINST_ADVICE),
    ],
)
def test_other_ways_out_ask_for_no_score(make_stopped, plain, leave, way, values, status):  # noqa: PLR0917 a table
    infusion = make_stopped(**plain)
    with pytest.raises(RuleBroken, match="Say"):
        leave(infusion, exit=way)
    leave(infusion, exit=way, **values)
    assert infusion.status is status


@pytest.fixture
def make_with_drug(make_running, nurse, second_nurse):
    """A session of ketamine in recovery: 50 mg withdrawn, 13.6 given, `wasted` of the rest destroyed."""

    def make(wasted=None):
        infusion = make_running(**ASKED)
        container = druglog.add_container(
            "ketamine", quantity_mg=Decimal(200), description="vial", received_at=ARRIVED, by=nurse, at=ARRIVED
        )
        account = operations.open_drug_account(infusion, by=nurse, at=minute(-15))
        druglog.withdraw(account, container, Decimal(50), happened_at=minute(-15), by=nurse, at=minute(-15))
        operations.stop(infusion, happened_at=minute(60), by=nurse, at=minute(60))
        if wasted:
            druglog.waste(
                account, "ketamine", Decimal(wasted), second_nurse, happened_at=minute(65), by=nurse, at=minute(65)
            )
        return infusion

    return make


def test_what_was_given_goes_into_the_register_at_the_stop(make_with_drug):
    (line,) = druglog.account_lines(make_with_drug().drug_account)
    assert (line.withdrawn_mg, line.given_mg, line.unaccounted_mg) == (50, Decimal("13.6"), Decimal("36.4"))


def test_nobody_goes_home_with_drug_unaccounted_for(make_with_drug, score, leave):
    infusion = make_with_drug()
    score(infusion)
    with pytest.raises(RuleBroken, match=r"36\.4\u00a0mg unaccounted"):
        leave(infusion)


def test_a_balanced_account_lets_the_patient_home(make_with_drug, score, leave):
    infusion = make_with_drug("36.4")
    score(infusion)
    leave(infusion)
    assert discrepancies() == []


def test_the_clinics_tolerance_counts(make_with_drug, score, leave, clinic):
    clinic.drug_tolerance_mg = Decimal("0.5")
    infusion = make_with_drug("36")
    score(infusion)
    leave(infusion)
    assert infusion.status is SessionStatus.CLOSED_HOME


def test_a_transfer_with_drug_unaccounted_for_opens_a_discrepancy(make_with_drug, leave):
    infusion = make_with_drug("30")
    leave(infusion, exit=DischargeExit.TRANSFER, destination="General Hospital")
    (opened,) = discrepancies()
    assert (opened.drug_name, opened.amount_mg, opened.account_id) == (
        "ketamine",
        Decimal("6.4"),
        infusion.drug_account_id,
    )


def test_an_override_with_drug_unaccounted_for_opens_a_discrepancy(make_with_drug, leave, physician):
    leave(make_with_drug(), override_by=physician, override_reason="Counted tomorrow")
    assert [opened.amount_mg for opened in discrepancies()] == [Decimal("36.4")]


def test_a_correction_that_gives_more_adds_to_the_register(make_with_drug, nurse):
    infusion = make_with_drug()
    stop = infusion.administrations[-1]
    operations.correct_administration(stop, {"happened_at": minute(65)}, "Clock read wrong", by=nurse, at=minute(70))
    (line,) = druglog.account_lines(infusion.drug_account)
    assert line.given_mg == Decimal("14.7333")


def test_a_correction_that_gives_less_opens_a_discrepancy(make_with_drug, nurse, second_nurse):
    infusion = make_with_drug()
    stop = infusion.administrations[-1]
    operations.correct_administration(stop, {"happened_at": minute(30)}, "Clock read wrong", by=nurse, at=minute(70))
    assert [opened.amount_mg for opened in discrepancies()] == [Decimal("-6.8")]
    druglog.adjust(
        Decimal("-6.8"),
        "Flowsheet corrected",
        second_nurse,
        account=infusion.drug_account,
        drug_name="ketamine",
        happened_at=minute(71),
        by=nurse,
        at=minute(71),
    )
    (line,) = druglog.account_lines(infusion.drug_account)
    assert line.unaccounted_mg == Decimal("43.2")


def test_a_session_that_was_not_done_cancels_its_appointment(make_infusion, nurse):
    infusion = make_infusion()
    operations.not_done(infusion, "No escort", by=nurse, at=minute(0))
    assert infusion.status is SessionStatus.NOT_DONE
    assert (infusion.appointment.status, infusion.appointment.status_reason) == (
        AppointmentStatus.CANCELLED,
        "No escort",
    )


def test_what_was_started_is_never_not_done(make_running, nurse):
    with pytest.raises(RuleBroken, match="cannot become"):
        operations.not_done(make_running(), "No escort", by=nurse, at=minute(5))


def test_a_session_that_was_not_done_says_why(make_infusion, nurse):
    with pytest.raises(RuleBroken, match="why"):
        operations.not_done(make_infusion(), " ", by=nurse, at=minute(0))


def test_a_discharge_is_not_before_the_stop(make_stopped, plain, leave, nurse):
    infusion = make_stopped(**plain)
    with pytest.raises(RuleBroken, match="before the infusion was stopped"):
        leave(infusion, minutes=50)
    with pytest.raises(RuleBroken, match="future"):
        operations.discharge(
            infusion,
            discharged_at=minute(100) + timedelta(seconds=1),
            exit=DischargeExit.TRANSFER,
            destination="Ward",
            is_cannula_removed=True,
            is_escort_present=False,
            by=nurse,
            at=minute(100),
        )


@pytest.mark.parametrize("items", [(2, 2, 2, 2), (2, 2, 2, 2, 3)])
def test_a_score_has_five_items_of_0_to_2(make_stopped, plain, score, items):
    with pytest.raises(RuleBroken):
        score(make_stopped(**plain), items)
