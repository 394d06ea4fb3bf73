"""What the pump did, in the order of time: pause, resume, bolus, bag, stop, late entries and corrections."""

from decimal import Decimal

import pytest

from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.sessions import operations
from clinic.sessions.event_rules import DischargeExit, PumpReading, RightVolume
from clinic.sessions.progress import current, progress
from clinic.sessions.rules import SessionStatus
from tests.factories.sessions import minute


@pytest.fixture
def act(nurse):
    def do(verb, infusion, minutes, *, at=None, **values):
        return verb(infusion, happened_at=minute(minutes), by=nurse, at=minute(at or minutes), **values)

    return do


def test_nothing_flows_in_a_pause(make_running, act):
    infusion = make_running()
    act(operations.pause, infusion, 30)
    assert infusion.status is SessionStatus.PAUSED
    act(operations.resume, infusion, 45)
    now = progress(infusion, minute(60))
    assert (now.run_minutes, now.span_minutes) == (45, 60)
    assert now.delivered_mg == Decimal("10.2")


def test_resumes_at_another_rate(make_running, act):
    infusion = make_running()
    act(operations.pause, infusion, 30)
    act(operations.resume, infusion, 45, rate_ml_h=Decimal("6.8"), reason="Restless")
    assert progress(infusion, minute(60)).rate_ml_h == Decimal("6.8")


def test_a_pause_pushes_the_planned_stop_back(make_running, act):
    infusion = make_running()
    assert progress(infusion, minute(30)).planned_stop == minute(120)
    act(operations.pause, infusion, 30)
    assert progress(infusion, minute(40)).planned_stop == minute(130)


@pytest.mark.parametrize(
    ("verb", "stage", "words"),
    [
        (operations.resume, "make_running", "not paused"),
        (operations.pause, "make_ready", "not running"),
        (operations.stop, "make_ready", "Nothing is being infused"),
    ],
)
def test_an_act_that_makes_no_sense_is_refused(request, act, verb, stage, words):
    infusion = request.getfixturevalue(stage)()
    with pytest.raises(RuleBroken, match=words) as refusal:
        act(verb, infusion, 30)
    assert refusal.value.field == "happened_at"


def test_nothing_is_done_twice_at_one_instant(make_running, act):
    infusion = make_running()
    act(operations.pause, infusion, 30)
    with pytest.raises(RuleBroken, match="very time"):
        act(operations.resume, infusion, 30)


def test_nothing_happens_before_the_start(make_running, act):
    with pytest.raises(RuleBroken, match="not running"):
        act(operations.pause, make_running(), -5, at=10)


def test_nothing_happens_after_the_stop(make_stopped, act):
    with pytest.raises(RuleBroken, match="not running"):
        act(operations.pause, make_stopped(), 70)


def test_a_late_entry_takes_its_place_in_the_middle(make_running, act):
    infusion = make_running()
    act(operations.change_rate, infusion, 60, rate_ml_h=Decimal(17))
    act(operations.change_rate, infusion, 30, rate_ml_h=Decimal("6.8"), reason="Charted late", at=70)
    assert progress(infusion, minute(90)).delivered_mg == Decimal("6.8") + Decimal("3.4") + Decimal("8.5")


def test_a_late_entry_must_fit_what_was_recorded_after_it(make_running, act):
    infusion = make_running()
    act(operations.pause, infusion, 50)
    with pytest.raises(RuleBroken, match="does not fit with the pause"):
        act(operations.pause, infusion, 20, at=55)


def test_a_late_stop_before_other_acts_is_refused(make_running, act):
    infusion = make_running()
    act(operations.pause, infusion, 50)
    with pytest.raises(RuleBroken, match="does not fit"):
        act(operations.stop, infusion, 40, at=55)


def test_a_bolus_is_the_orders_own(make_running, act):
    infusion = make_running(bolus_mg=Decimal(5))
    with pytest.raises(RuleBroken, match="bolus is 5\u00a0mg"):
        act(operations.bolus, infusion, 10, bolus_mg=Decimal(6))
    act(operations.bolus, infusion, 10, bolus_mg=Decimal(5))
    assert progress(infusion, minute(60)).delivered_mg == Decimal("18.6")


def test_without_an_ordered_bolus_there_is_none(make_running, act):
    with pytest.raises(RuleBroken, match="no bolus"):
        act(operations.bolus, make_running(), 10, bolus_mg=Decimal(5))


def test_a_bolus_over_the_maximum_in_total_is_refused(make_running, act):
    infusion = make_running(bolus_mg=Decimal(5), maximum_total_mg=Decimal(45))
    for minutes in (5, 10, 15):
        act(operations.bolus, infusion, minutes, bolus_mg=Decimal(5))
    with pytest.raises(RuleBroken, match="maximum is 45"):
        act(operations.bolus, infusion, 20, bolus_mg=Decimal(5))


def test_a_bag_whose_label_differs_from_the_order_is_refused(make_running, act):
    with pytest.raises(RuleBroken, match="label says 2\u00a0mg/mL; the order says 1\u00a0mg/mL"):
        act(operations.change_bag, make_running(), 30, concentration_mg_ml=Decimal(2))


def test_a_new_bag_changes_no_rate(make_running, act):
    infusion = make_running()
    act(operations.change_bag, infusion, 30, volume_to_infuse_ml=Decimal(50))
    assert progress(infusion, minute(60)).delivered_mg == Decimal("13.6")


def test_the_stop_keeps_the_pumps_own_volume(make_running, act):
    infusion = make_running()
    event = act(operations.stop, infusion, 60, shown=PumpReading(Decimal("13.5")), reason="Planned end")
    assert infusion.status is SessionStatus.RECOVERING
    assert event.pump_volume_ml == Decimal("13.5")


def test_a_volume_far_from_the_computed_one_asks_which_is_right_and_why(make_running, act, clinic):
    clinic.pump_tolerance_percent = 5
    infusion = make_running()
    with pytest.raises(RuleBroken, match="20\u00a0mL infused; its rates come to 13") as refusal:
        act(operations.stop, infusion, 60, shown=PumpReading(Decimal(20)))
    assert refusal.value.field == "right_volume"
    shown = PumpReading(Decimal(20), RightVolume.COMPUTED, "The pump was not zeroed")
    assert act(operations.stop, infusion, 60, shown=shown).right_volume is RightVolume.COMPUTED


def test_a_new_bag_keeps_the_volume_of_the_bags_before(make_running, act, clinic):
    clinic.pump_tolerance_percent = 5
    infusion = make_running()
    with pytest.raises(RuleBroken, match="its rates come to 6"):
        act(operations.change_bag, infusion, 30, shown=PumpReading(Decimal(20)))
    assert act(operations.change_bag, infusion, 30, shown=PumpReading(Decimal("6.8"))).pump_volume_ml == Decimal("6.8")


def test_the_reason_of_an_urgent_stop_follows_from_whoever_is_there(make_running, act, make_staff):
    infusion = make_running()
    stop = act(operations.stop, infusion, 60)
    other = make_staff(Role.NURSE)
    told = operations.say_why(stop, "Chest pain", shown=PumpReading(Decimal("13.6")), by=other, at=minute(70))
    assert (told.reason, told.happened_at, told.pump_volume_ml) == ("Chest pain", minute(60), Decimal("13.6"))
    with pytest.raises(RuleBroken, match="there already"):
        operations.say_why(told, "Something else", by=other, at=minute(71))


def test_a_bolus_is_a_physicians_where_the_clinic_says_so(make_running, act, physician, clinic):
    clinic.bolus_role = Role.PHYSICIAN
    infusion = make_running(bolus_mg=Decimal(5))
    with pytest.raises(RuleBroken, match="a physician gives the bolus"):
        act(operations.bolus, infusion, 10, bolus_mg=Decimal(5))
    when = minute(11)
    assert operations.bolus(infusion, bolus_mg=Decimal(5), happened_at=when, by=physician, at=when)


def test_a_correction_takes_the_place_of_the_first_entry(make_running, act, nurse):
    infusion = make_running()
    wrong = act(operations.change_rate, infusion, 30, rate_ml_h=Decimal(17))
    operations.correct_administration(wrong, {"happened_at": minute(40)}, "Wrong time typed", by=nurse, at=minute(50))
    assert wrong not in current(infusion.administrations)
    segments = progress(infusion, minute(60)).segments
    assert [(each.start, each.rate_ml_h) for each in segments] == [
        (minute(0), Decimal("13.6")),
        (minute(40), Decimal(17)),
    ]


def test_a_corrected_entry_is_not_corrected_again(make_running, act, nurse):
    infusion = make_running()
    wrong = act(operations.pause, infusion, 30)
    operations.correct_administration(wrong, {"reason": "ECG lead off"}, "Said later", by=nurse, at=minute(50))
    with pytest.raises(RuleBroken, match="corrected already"):
        operations.correct_administration(wrong, {"reason": "Other"}, "Again", by=nurse, at=minute(51))


def test_another_nurse_does_not_correct_but_a_physician_does(make_running, act, second_nurse, physician):
    infusion = make_running()
    event = act(operations.pause, infusion, 30)
    with pytest.raises(RuleBroken, match="or a physician"):
        operations.correct_administration(event, {"reason": "x"}, "Why", by=second_nurse, at=minute(50))
    assert operations.correct_administration(event, {"reason": "x"}, "Why", by=physician, at=minute(50))


def test_a_correction_must_still_make_sense(make_running, act, nurse):
    infusion = make_running()
    act(operations.pause, infusion, 30)
    resumed = act(operations.resume, infusion, 40)
    with pytest.raises(RuleBroken):
        operations.correct_administration(resumed, {"happened_at": minute(20)}, "Typo", by=nurse, at=minute(50))


def test_a_withdrawn_pause_never_was(make_running, act, nurse):
    infusion = make_running()
    pause = act(operations.pause, infusion, 30)
    operations.void_administration(pause, "Other patient's pump", by=nurse, at=minute(40))
    assert infusion.status is SessionStatus.INFUSING
    assert progress(infusion, minute(60)).delivered_mg == Decimal("13.6")


def test_a_pause_charted_late_is_taken_after_the_discharge(make_stopped, act, nurse):
    infusion = make_stopped()
    operations.discharge(
        infusion,
        discharged_at=minute(100),
        exit=DischargeExit.AGAINST_ADVICE,
        is_cannula_removed=True,
        is_escort_present=False,
        reason="Would not wait",
        by=nurse,
        at=minute(100),
    )
    act(operations.pause, infusion, 30, at=110)
    assert infusion.status is SessionStatus.CLOSED_AGAINST_ADVICE
    assert progress(infusion, minute(110)).delivered_mg == Decimal("6.8")
