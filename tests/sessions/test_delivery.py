from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.sessions.delivery_rules import (
    PumpEvent,
    boluses_mg,
    delivered_mg,
    delivered_ml,
    highest_rate_mg_h,
    highest_rate_ml_h,
    planned_stop,
    planned_stop_of_total,
    projected_total_mg,
    remaining_minutes,
    run_minutes,
    segments,
    span_minutes,
    state_at,
)
from clinic.sessions.rules import AdministrationKind as Kind

NINE = datetime(2026, 3, 4, 14, tzinfo=UTC)
END = NINE + timedelta(days=2)
TINY = Fraction(1, 10**35)


def at(minute):
    return NINE + timedelta(minutes=minute)


def event(minute, kind, rate=None, **more):
    return PumpEvent(Kind(kind), at(minute), rate and Decimal(rate), **more)


def infused(*rows):
    """Events from rows of [from_min, to_min, mL/h]; a gap is a pause."""
    events = [event(rows[0][0], "start", rows[0][2], concentration_mg_ml=Decimal(1))]
    for (_, end, _), (start, _, rate) in pairwise(rows):
        if start == end:
            events.append(event(start, "rate_change", rate))
        else:
            events += [event(end, "pause"), event(start, "resume", rate)]
    return [*events, event(rows[-1][1], "stop")]


@pytest.mark.parametrize(
    ("rows", "run", "span", "ml", "highest"),
    [
        ([(0, 60, "13.6"), (60, 120, "17.0"), (120, 180, "20.4"), (180, 240, "23.8")], 240, 240, "74.8", "23.8"),
        ([(0, 20, "67.5"), (20, 65, "30.0")], 65, 65, "45", "67.5"),
        ([(0, 36, "24.6")], 36, 36, "14.76", "24.6"),
        ([(0, 120, "25.2")], 120, 120, "50.4", "25.2"),
        ([(0, 41, "22.2"), (55, 134, "22.2")], 120, 134, "44.4", "22.2"),
    ],
)
def test_worked_sessions_come_to_their_figures(rows, run, span, ml, highest):
    found = segments(infused(*rows), END)
    assert (run_minutes(found), span_minutes(found)) == (run, span)
    assert delivered_ml(found) == delivered_mg(found) == Decimal(ml)
    assert highest_rate_ml_h(found) == Decimal(highest)


def test_a_pause_is_a_segment_of_rate_0():
    found = segments(infused((0, 41, "22.2"), (55, 134, "22.2")), END)
    assert [(segment.start, segment.end, segment.rate_ml_h) for segment in found] == [
        (at(0), at(41), Decimal("22.2")),
        (at(41), at(55), Decimal(0)),
        (at(55), at(134), Decimal("22.2")),
    ]


def test_a_resume_without_a_rate_goes_on_at_the_last_one():
    found = segments([event(0, "start", 20), event(10, "pause"), event(15, "resume"), event(25, "stop")], END)
    assert delivered_ml(found) * 60 == 20 * 20


def test_a_rate_changed_during_a_pause_flows_only_after_it():
    events = [event(0, "start", 20), event(10, "pause"), event(12, "rate_change", 30), event(15, "resume")]
    assert [segment.rate_ml_h for segment in segments(events, at(20))] == [20, 0, 30]


def test_a_second_bag_counts_at_its_own_concentration():
    events = [
        event(0, "start", 30, concentration_mg_ml=Decimal(2)),
        event(20, "bag_change", concentration_mg_ml=Decimal(1)),
        event(20, "rate_change", 15),
        event(60, "stop"),
    ]
    found = segments(events, END)
    assert delivered_ml(found) == 20
    assert delivered_mg(found) == 30
    assert highest_rate_mg_h(found) == 60


def test_a_stop_during_a_pause_gives_nothing_more():
    found = segments([event(0, "start", 20), event(30, "pause"), event(50, "stop")], END)
    assert delivered_ml(found) == 10
    assert span_minutes(found) == 50


def test_what_happens_later_than_asked_is_not_counted():
    assert delivered_ml(segments(infused((0, 60, 20)), at(30))) == 10
    assert segments(infused((0, 60, 20)), at(-1)) == []


def test_a_drug_that_was_started_again_under_a_new_order_leaves_a_hole():
    found = segments([*infused((0, 30, 20)), *infused((60, 90, 10))], END)
    assert [(segment.start, segment.end) for segment in found] == [(at(0), at(30)), (at(60), at(90))]
    assert delivered_ml(found) == 15


@st.composite
def pump_days(draw):
    """A start, any acts while the pump runs, and a stop; instants in microseconds, at any rate."""
    rates = st.decimals(min_value="0.1", max_value=999, places=4, allow_nan=False)
    strengths = st.decimals(min_value="0.01", max_value=100, places=4, allow_nan=False)
    instants = sorted(draw(st.sets(st.integers(0, 10**11), min_size=2, max_size=8)))
    moments = [NINE + timedelta(microseconds=each) for each in instants]
    events = [PumpEvent(Kind.START, moments[0], draw(rates), concentration_mg_ml=draw(strengths))]
    is_paused = False
    for moment in moments[1:-1]:
        kind = draw(
            st.sampled_from([Kind.RATE_CHANGE, Kind.BOLUS, Kind.BAG_CHANGE, Kind.RESUME if is_paused else Kind.PAUSE])
        )
        is_paused = kind is Kind.PAUSE or (is_paused and kind is not Kind.RESUME)
        events.append(
            PumpEvent(
                kind,
                moment,
                draw(rates) if kind is Kind.RATE_CHANGE else draw(st.none() | rates) if kind is Kind.RESUME else None,
                draw(rates) if kind is Kind.BOLUS else None,
                draw(strengths) if kind is Kind.BAG_CHANGE else None,
            )
        )
    return [*events, PumpEvent(Kind.STOP, moments[-1])]


def integrated(events, until):
    """The dose by another way: piece by piece in fractions. Returns mL, mg, running minutes."""
    volume = dose = running = Fraction(0)
    rate = strength = set_rate = Fraction(0)
    since = None
    for each in [*(one for one in events if one.at <= until), PumpEvent(Kind.STOP, until)]:
        if since is not None:
            hours = Fraction((each.at - since) // timedelta(microseconds=1), 3_600_000_000)
            volume, dose = volume + rate * hours, dose + rate * hours * strength
            running += hours * 60 if rate else 0
        strength = Fraction(each.concentration_mg_ml) if each.concentration_mg_ml else strength
        set_rate = Fraction(each.rate_ml_h) if each.rate_ml_h else set_rate
        dose += Fraction(each.bolus_mg or 0)
        if each.kind in {Kind.START, Kind.RESUME}:
            rate = set_rate
        elif each.kind is Kind.RATE_CHANGE:
            rate = set_rate if rate else Fraction(0)
        elif each.kind in {Kind.PAUSE, Kind.STOP}:
            rate = Fraction(0)
        since = each.at
    return volume, dose, running


@given(pump_days(), st.integers(0, 2 * 10**11))
def test_the_delivered_dose_is_the_exact_integral(events, microseconds):
    until = NINE + timedelta(microseconds=microseconds)
    volume, dose, running = integrated(events, until)
    found = segments(events, until)
    assert abs(Fraction(delivered_ml(found)) - volume) < TINY
    assert abs(Fraction(delivered_mg(found, boluses=boluses_mg(events, until))) - dose) < TINY
    assert abs(Fraction(run_minutes(found)) - running) < TINY


@given(pump_days(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(events, random):
    mixed = list(events)
    random.shuffle(mixed)
    assert segments(mixed, END) == segments(events, END)
    assert boluses_mg(mixed, END) == boluses_mg(events, END)


@given(pump_days())
def test_segments_have_no_hole_and_no_overlap_and_none_lasts_no_time(events):
    found = segments(events, END)
    assert found[0].start == events[0].at
    assert found[-1].end == events[-1].at
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(segment.start < segment.end for segment in found)


@given(pump_days(), st.integers(0, 10**11), st.integers(0, 10**11))
def test_the_dose_never_falls_as_time_passes(events, one, other):
    early, late = (NINE + timedelta(microseconds=each) for each in sorted((one, other)))
    assert delivered_mg(segments(events, early)) <= delivered_mg(segments(events, late))


def test_the_dose_does_not_depend_on_the_threads_precision():
    found = segments(infused((0, 60, "13.6"), (60, 97, "17.0")), END)
    full = delivered_mg(found)
    with localcontext(prec=3):
        assert delivered_mg(found) == full


def test_an_infusion_through_the_autumn_change_gives_its_97_hours():
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 10, 30, 9, tzinfo=zone)
    events = [PumpEvent(Kind.START, start, Decimal(10)), PumpEvent(Kind.STOP, start + timedelta(days=4))]
    found = segments(events, start + timedelta(days=5), concentration_mg_ml=Decimal(1))
    assert delivered_mg(found) == 970
    assert span_minutes(found) == 97 * 60


def test_both_times_of_the_doubled_hour_are_told_apart():
    zone = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=zone) for fold in (0, 1))
    found = segments(
        [PumpEvent(Kind.STOP, second), PumpEvent(Kind.START, first, Decimal(10))], END + timedelta(days=365)
    )
    assert run_minutes(found) == 60


def test_events_of_one_instant_follow_their_recorded_order():
    events = [
        event(0, "start", 20),
        event(10, "resume", sequence=2),
        event(10, "pause", sequence=1),
        event(20, "stop"),
    ]
    assert run_minutes(segments(events, END)) == 20


def test_a_dose_from_a_bag_of_unknown_strength_is_refused():
    with pytest.raises(ValueError, match="concentration"):
        delivered_mg(segments([event(0, "start", 20)], at(10)))


def test_the_state_of_the_pump_at_an_instant():
    events = infused((0, 41, "22.2"), (55, 134, "22.2"))
    assert [state_at(events, at(minute)).rate_ml_h for minute in (-1, 0, 41, 55, 134)] == [
        0, Decimal("22.2"), 0, Decimal("22.2"), 0,
    ]  # fmt: skip
    assert state_at(events, at(50)).is_paused
    assert state_at(events, at(50)).set_ml_h == Decimal("22.2")


def test_a_pause_pushes_the_planned_stop_back():
    found = segments(infused((0, 41, "22.2"), (55, 134, "22.2"))[:-1], at(60))
    assert remaining_minutes(found, duration_min=120) == 74
    assert planned_stop(found, at(60), duration_min=120) == at(134)


def test_the_time_cap_holds_the_planned_stop():
    found = segments(infused((0, 41, "22.2"), (55, 134, "22.2"))[:-1], at(60))
    assert planned_stop(found, at(60), duration_min=120, latest=at(130)) == at(130)


def test_a_plan_that_is_used_up_ended_when_it_was():
    found = segments([event(0, "start", 20), event(10, "pause"), event(20, "resume")], at(90))
    assert planned_stop(found, at(90), duration_min=60) == at(70)


@given(pump_days(), st.integers(1, 3000))
def test_the_planned_minutes_are_used_up_exactly_at_the_planned_stop(events, duration):
    running = events[:-1]
    now = events[-1].at
    stop = planned_stop(segments(running, now), now, duration_min=duration)
    if state_at(running, now).rate_ml_h or stop <= now:
        assert abs(run_minutes(segments(running, stop)) - duration) < Decimal("0.000001")


def test_a_total_at_a_reduced_rate_ends_later():
    found = segments(infused((0, 20, "67.5"), (20, 65, 30))[:-1], at(20))
    stop = planned_stop_of_total(
        delivered_mg(found), at(20), total_mg=Decimal(45), rate_ml_h=Decimal(30), concentration_mg_ml=Decimal(1)
    )
    assert stop == at(65)


def test_a_total_has_no_end_while_nothing_flows():
    paused = {"total_mg": Decimal(45), "rate_ml_h": Decimal(0), "concentration_mg_ml": Decimal(1)}
    assert planned_stop_of_total(Decimal(10), at(20), **paused) is None


def test_the_projected_total_is_what_was_given_and_what_is_left_of_the_plan():
    plan = {"rate_ml_h": Decimal("12.5"), "concentration_mg_ml": Decimal(4)}
    assert projected_total_mg(Decimal(50), **plan, remaining_min=60) == 100
    assert projected_total_mg(Decimal(50), **plan, remaining_min=-5) == 50
