from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.protocols.limit_rules import Vital
from clinic.protocols.vital_names import NAMES
from clinic.sessions.due_rules import (
    Anchor,
    AnchorKind,
    Due,
    DueState,
    Phase,
    Seen,
    due_text,
    due_times,
    next_due,
    settle,
    wanting_text,
)

NINE = datetime(2026, 3, 4, 14, tzinfo=UTC)
EVERY_15 = Phase(AnchorKind.START, every_min=15)
RECOVERY = Phase(AnchorKind.STOP, every_min=15, for_min=45)


def at(minute):
    return NINE + timedelta(minutes=minute)


def anchors(**minutes):
    return [Anchor(AnchorKind(kind), at(minute)) for kind, minute in minutes.items()]


def minutes_of(dues):
    return [(due.at - NINE) // timedelta(minutes=1) for due in dues]


def due_minutes(phases, happened, until, ends=None, **more):
    return minutes_of(due_times(phases, happened, at(until), None if ends is None else at(ends), **more))


def test_a_phase_from_the_start_runs_until_the_stop_and_recovery_from_there():
    happened = anchors(start=0, stop=65)
    assert due_minutes([EVERY_15, RECOVERY], happened, 300) == [15, 30, 45, 60, 80, 95, 110]


def test_the_stop_itself_may_be_due():
    assert due_minutes([EVERY_15], anchors(start=0, stop=60), 300) == [15, 30, 45, 60]


def test_denser_at_first_and_each_instant_once():
    phases = [Phase(AnchorKind.START, every_min=5, count=3), EVERY_15]
    assert due_minutes(phases, anchors(start=0), 60) == [5, 10, 15, 30, 45, 60]


def test_a_phase_may_begin_at_its_anchor_and_end_after_a_time():
    phases = [Phase(AnchorKind.START, every_min=20, after_min=0, for_min=60)]
    assert due_minutes(phases, anchors(start=0), 300) == [0, 20, 40, 60]


def test_a_rate_change_inserts_one_extra():
    phases = [EVERY_15, Phase(AnchorKind.RATE_CHANGE, after_min=5)]
    happened = [*anchors(start=0), *anchors(rate_change=20), *anchors(rate_change=40)]
    assert due_minutes(phases, happened, 60) == [15, 25, 30, 45, 45 + 15]


def test_a_pause_ends_nothing():
    phases = [EVERY_15, Phase(AnchorKind.PAUSE, every_min=5, count=2)]
    assert due_minutes(phases, anchors(start=0, pause=31), 60) == [15, 30, 36, 41, 45, 60]


def test_vitals_after_an_as_needed_dose_stay_due_after_the_stop():
    phases = [EVERY_15, Phase(AnchorKind.PRN, after_min=15)]
    assert due_minutes(phases, anchors(start=0, prn=20, stop=30), 60) == [15, 30, 35]


def test_a_recheck_is_one_single_time():
    assert due_minutes([EVERY_15], anchors(start=0), 30, rechecks=[Due(at(20), None), Due(at(200), None)]) == [
        15,
        20,
        30,
    ]


def test_nothing_is_due_after_the_session_was_closed():
    assert due_minutes([RECOVERY], anchors(start=0, stop=60), 300, 95) == [75, 90]


def test_starting_again_ends_recovery():
    happened = [*anchors(start=0, stop=30), Anchor(AnchorKind.START, at(50)), Anchor(AnchorKind.STOP, at(70))]
    assert due_minutes([EVERY_15, RECOVERY], happened, 120) == [15, 30, 45, 65, 85, 100, 115]


def test_a_phase_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="says when"):
        due_times([Phase(AnchorKind.START)], anchors(start=0), at(60))


phases = st.builds(
    Phase, st.sampled_from(AnchorKind), st.integers(1, 60), st.none() | st.integers(0, 240),
    st.none() | st.integers(0, 5), st.none() | st.integers(0, 60),
)  # fmt: skip
happenings = st.builds(Anchor, st.sampled_from(AnchorKind), st.integers(0, 300).map(at))


@given(st.lists(phases, max_size=4), st.lists(happenings, max_size=6), st.integers(0, 400), st.integers(0, 400))
def test_due_times_rise_and_a_later_look_only_adds(plan, happened, early, late):
    early, late = sorted((early, late))
    before, after = (due_times(plan, happened, at(until)) for until in (early, late))
    assert [due.at for due in after] == sorted({due.at for due in after})
    assert [due for due in after if due.at <= at(early)] == before


def settled(dues, observed, now, **more):
    lines = settle(
        [Due(at(due), AnchorKind.START) for due in dues], [Seen(at(seen)) for seen in observed], at(now),
        **{"grace_before_min": 5, "grace_after_min": 5} | more,
    )  # fmt: skip
    return [line.state.value for line in lines]


@pytest.mark.parametrize(
    ("now", "state"),
    [(9, "upcoming"), (10, "due"), (15, "due"), (20, "due"), (21, "overdue"), (29, "overdue"), (30, "missed")],
)
def test_an_open_time_grows_old(now, state):
    assert settled([15, 30], [], now)[0] == state


def test_the_last_time_stays_overdue_until_the_session_ends():
    assert settled([15], [], 500) == ["overdue"]
    assert settled([15], [], 500, ends_at=at(60)) == ["missed"]


def test_vitals_answer_the_nearest_time_and_only_one():
    assert settled([15, 30, 45], [27], 50) == ["missed", "done", "due"]


def test_two_sets_near_one_time_answer_it_once():
    assert settled([15, 30], [14, 16], 20) == ["done", "upcoming"]


def test_vitals_between_the_windows_answer_the_one_that_is_overdue():
    lines = settle(
        [Due(at(15), None), Due(at(30), None)], [Seen(at(23))], at(24), grace_before_min=5, grace_after_min=5
    )
    assert [(line.state, line.late_by_min) for line in lines] == [(DueState.DONE, 8), (DueState.UPCOMING, 0)]


def test_vitals_long_before_answer_nothing():
    assert settled([15], [9], 9) == ["upcoming"]


def test_a_time_with_a_reason_is_not_done_and_takes_no_vitals():
    assert settled([15, 30], [16], 20, not_done=[at(15)]) == ["not-done", "upcoming"]


def test_late_is_counted_in_whole_minutes_past_the_grace():
    line = settle([Due(at(15), None)], [], at(24) + timedelta(seconds=59), grace_before_min=5, grace_after_min=5)[0]
    assert (line.state, line.late_by_min) == (DueState.OVERDUE, 9)


minute_sets = st.sets(st.integers(0, 240), max_size=10)


@given(minute_sets, st.lists(st.integers(0, 240), max_size=10), st.integers(0, 300), st.randoms(use_true_random=False))
def test_settling_is_one_to_one_and_does_not_depend_on_order(dues, seen, now, random):
    mixed = sorted(seen, key=lambda _: random.random())
    states = settled(sorted(dues), seen, now)
    assert states == settled(sorted(dues, reverse=True), mixed, now)
    assert len(states) == len(dues)
    assert states.count("done") <= len(seen)


@given(minute_sets, st.sets(st.integers(0, 240), max_size=8), st.integers(0, 240))
def test_nothing_before_now_is_silently_fine(dues, seen, now):
    for due, state in zip(
        sorted(dues), settled(sorted(dues), {each for each in seen if each <= now}, now), strict=True
    ):
        assert state != "upcoming" or due > now


def test_the_next_due_is_the_earliest_that_waits():
    lines = settle(
        [Due(at(due), None) for due in (15, 30, 45)], [Seen(at(15))], at(40), grace_before_min=5, grace_after_min=5
    )
    assert next_due(lines).due.at == at(30)
    assert next_due([]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (180, "in 3 min"), (121, "in 3 min"), (120, "in 2 min"), (1, "in 1 min"), (0, "due now"), (-59, "due now"),
        (-60, "1 min late"), (-299, "4 min late"), (7200, "in 2 h"), (-7500, "2 h 5 min late"),
    ],
)  # fmt: skip
def test_a_countdown_changes_with_the_clock_on_the_wall(seconds, text):
    assert due_text(Due(at(30), None), at(30) - timedelta(seconds=seconds)) == text
    assert due_text(at(30), at(30) - timedelta(seconds=seconds)) == text


# --- what a phase asks for -------------------------------------------------------------------------------------------

BP, HR, SPO2, TEMP = NAMES["BP"], NAMES["HR"], NAMES["SpO2"], frozenset({Vital.TEMP})


def asked(dues, seen, now, **more):
    """Settle (minute, wanted) by (minute, taken)."""
    return settle(
        [Due(at(due), None, wanted) for due, wanted in dues], [Seen(at(minute), taken) for minute, taken in seen],
        at(now), grace_before_min=5, grace_after_min=5, **more,
    )  # fmt: skip


def test_what_falls_due_at_one_instant_is_one_set_with_all_that_is_asked():
    plan = [Phase(AnchorKind.START, every_min=5, wanted=SPO2), Phase(AnchorKind.START, every_min=10, wanted=BP)]
    found = due_times(plan, anchors(start=0), at(10), rechecks=[Due(at(10), None, HR)])
    assert [due.wanted for due in found] == [SPO2, SPO2 | BP | HR]


def test_a_part_of_what_is_asked_leaves_the_rest_wanting():
    (line,) = asked([(15, BP | HR)], [(14, HR | SPO2)], 16)
    assert (line.state, line.wanting, wanting_text(line)) == (DueState.DUE, BP, "BP still wanted")
    (line,) = asked([(15, BP | HR)], [], 16)
    assert wanting_text(line) == "BP and HR wanted"


def test_the_set_that_completes_it_answers_it_and_may_be_late():
    (line,) = asked([(15, BP | HR)], [(14, HR), (23, BP)], 24)
    assert (line.state, line.observed_at, line.late_by_min, line.wanting) == (DueState.DONE, at(23), 8, frozenset())


def test_a_part_alone_is_missed_when_the_next_falls_due():
    first, _ = asked([(15, BP | HR), (30, BP)], [(14, HR)], 30)
    assert (first.state, first.wanting) == (DueState.MISSED, BP)


def test_vitals_that_a_time_does_not_ask_for_go_to_one_that_takes_them():
    lines = asked([(15, BP), (17, frozenset())], [(15, SPO2)], 16)
    assert [line.state for line in lines] == [DueState.DUE, DueState.DONE]


some_vitals = st.frozensets(st.sampled_from(list(Vital)), max_size=4)
observed_sets = st.lists(st.tuples(st.integers(0, 60), some_vitals.filter(bool)), max_size=6)


@given(some_vitals, observed_sets)
def test_one_time_is_done_exactly_when_all_that_it_asks_for_was_taken_in_its_window(wanted, seen):
    (line,) = asked([(15, wanted)], seen, 61)
    within = [taken for minute, taken in seen if minute >= 10]
    taken = frozenset().union(*within)
    assert (line.state is DueState.DONE) is (bool(within) and wanted <= taken)
    assert line.wanting == (wanted - taken)


@given(st.dictionaries(st.integers(0, 60), some_vitals, max_size=5), observed_sets, observed_sets)
def test_a_done_time_holds_what_it_asks_for_and_stays_done(dues, seen, more):
    lines = asked(sorted(dues.items()), seen, 61)
    done = [line for line in lines if line.state is DueState.DONE]
    for line in done:
        near = [taken for minute, taken in seen if at(minute) >= line.due.at - timedelta(minutes=5)]
        assert line.due.wanted <= frozenset().union(*near)
        assert not line.wanting
    later = [(minute + 61, taken) for minute, taken in more]
    assert all(line in asked(sorted(dues.items()), [*seen, *later], 61) for line in done)


@given(st.dictionaries(st.integers(0, 60), some_vitals, max_size=5), st.integers(0, 60), some_vitals)
def test_a_value_counts_for_one_time_of_a_line(dues, minute, taken):
    lines = asked(sorted(dues.items()), [(minute, taken)], 61)
    counted = [line.due.wanted - line.wanting for line in lines]
    assert all(sum(vital in each for each in counted) <= 1 for vital in taken)


def test_the_rest_of_a_set_that_was_begun_completes_it_while_it_is_on_time():
    lines = asked([(0, HR | SPO2), (5, HR | SPO2)], [(0, HR), (3, SPO2)], 6)
    assert [(line.state, line.wanting) for line in lines] == [(DueState.DONE, frozenset()), (DueState.DUE, HR | SPO2)]


def test_a_full_set_just_before_the_next_time_is_for_that_one():
    lines = asked([(0, HR | SPO2), (15, HR | SPO2)], [(0, HR), (14, HR | SPO2)], 16)
    assert [line.state for line in lines] == [DueState.MISSED, DueState.DONE]


@given(st.integers(1, 30), st.integers(0, 5), st.integers(0, 5))
def test_two_parts_in_the_grace_of_a_time_complete_it(gap, one, other):
    one, other = sorted((one % gap, other % gap))
    if 2 * one <= gap:  # else the first part is nearer to the next time
        first, _ = asked([(10, HR | SPO2), (10 + gap, HR | SPO2)], [(10 + one, HR), (10 + other, SPO2)], 60)
        assert (first.state, first.observed_at) == (DueState.DONE, at(10 + other))


@given(st.dictionaries(st.integers(0, 60), some_vitals, min_size=1, max_size=5), observed_sets, st.data())
def test_saying_that_one_time_was_not_possible_changes_no_other(dues, seen, data):
    refused = data.draw(st.sampled_from(sorted(dues)))
    before, after = asked(sorted(dues.items()), seen, 61), asked(sorted(dues.items()), seen, 61, not_done=[at(refused)])
    assert [line for line in after if line.state is not DueState.NOT_DONE] == [
        line for line in before if line.due.at != at(refused)
    ]


def test_a_time_stays_open_past_one_that_asks_for_something_else():
    first, second, _ = asked([(0, HR), (1, BP), (15, HR)], [(2, BP), (4, HR)], 6)
    assert [first.state, second.state] == [DueState.DONE, DueState.DONE]
    assert asked([(0, HR), (1, frozenset())], [], 6)[0].state is DueState.MISSED


@given(minute_sets, minute_sets, st.dictionaries(st.integers(0, 240), st.sampled_from([BP, HR]), max_size=10))
def test_times_that_ask_for_nothing_alike_settle_as_if_alone(pressures, pulses, seen):
    pulses -= pressures
    both = asked([*((due, BP) for due in pressures), *((due, HR) for due in pulses)], seen.items(), 241)
    alone = asked([(due, BP) for due in sorted(pressures)], seen.items(), 241)
    assert [line for line in both if line.due.wanted == BP] == alone


# --- a recheck and the check after an act beside the schedule ---------------------------------------------------------


def states(dues, seen, now, **more):
    """Settle (minute, kind, wanted[, since]) by (minute, taken); the kind None is a recheck."""
    lines = settle(
        [
            Due(at(minute), None if kind is None else AnchorKind(kind), wanted, *[at(since) for since in counted_from])
            for minute, kind, wanted, *counted_from in dues
        ],
        [Seen(at(minute), taken) for minute, taken in seen], at(now), grace_before_min=5, grace_after_min=5, **more,
    )  # fmt: skip
    return [line.state.value for line in lines]


FULL = BP | HR | SPO2


@pytest.mark.parametrize(
    ("dues", "expected"),
    [
        ([(20, None, BP, 10), (22, "start", HR)], ["done", "done"]),
        ([(20, None, BP, 10), (22, "start", BP | HR)], ["done", "done"]),
        ([(20, "start", FULL), (21, None, BP, 16)], ["done", "done"]),
        ([(20, "start", frozenset()), (21, "rate_change", frozenset(), 16)], ["done", "done"]),
        ([(20, None, BP, 10), (21, None, SPO2, 11)], ["done", "done"]),
        ([(20, "start", BP), (23, "start", HR)], ["done", "done"]),
        ([(20, "start", BP), (23, "start", BP)], ["done", "due"]),
        ([(20, None, BP | TEMP, 10), (22, "start", HR)], ["due", "done"]),
    ],
)
def test_a_full_set_answers_everything_that_is_due_and_that_it_holds(dues, expected):
    assert states(dues, [(21, FULL)], 22) == expected


def test_a_set_does_not_answer_what_it_asks_for_itself():
    assert states([(15, "start", frozenset()), (20, None, BP, 15)], [(15, FULL)], 16) == ["done", "due"]
    assert states([(15, "start", frozenset()), (18, "rate_change", frozenset(), 13)], [(13, FULL)], 16) == [
        "done",
        "due",
    ]


def test_a_time_is_not_missed_because_a_recheck_falls_due():
    assert states([(20, "start", BP), (21, None, BP, 16)], [], 22) == ["due", "due"]
    assert states([(20, "start", BP), (21, None, BP, 16)], [(23, BP)], 24) == ["done", "done"]


def test_times_that_meet_are_answered_when_they_are_next_in_each_of_their_lines():
    plan = [Phase(AnchorKind.START, every_min=5), Phase(AnchorKind.RATE_CHANGE, after_min=5)]
    found = due_times(plan, [*anchors(start=0), *anchors(rate_change=8), *anchors(rate_change=10)], at(15))
    assert [(len(due.lines), due.since) for due in found] == [(1, None), (1, None), (1, at(8)), (2, at(10))]
    kept = settle(found, [Seen(at(12))], at(12), grace_before_min=5, grace_after_min=5)
    assert [line.state.value for line in kept] == ["missed", "done", "done", "due"]


@given(
    st.dictionaries(st.integers(0, 60), some_vitals, max_size=4),
    st.dictionaries(st.integers(0, 60), some_vitals, max_size=4),
    observed_sets,
)
def test_rechecks_and_the_schedule_settle_each_as_if_alone(rechecks, schedule, seen):
    again = [(minute, None, wanted) for minute, wanted in sorted(rechecks.items())]
    course = [(minute, "start", wanted) for minute, wanted in sorted(schedule.items())]
    both = sorted([*again, *course], key=lambda due: due[0])
    found = list(zip(both, states(both, seen, 61), strict=True))
    assert states(again, seen, 61) == [state for due, state in found if due in again]
    assert states(course, seen, 61) == [state for due, state in found if due in course]
