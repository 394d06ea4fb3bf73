"""When a reminder is due, by the clinic's clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.reminders.rules import Rule, Text, TextKind, due, moment, names_a_drug, texts_for

YORK = ZoneInfo("America/New_York")
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
NINE = datetime(2025, 11, 19, 14, 0, tzinfo=UTC)  # 09:00 in New York
WEEK, DAY = Rule(7, time(10), LONG_AGO), Rule(1, time(17, 30), LONG_AGO)
# A time that the clocks skip in spring, and one that comes twice in autumn.
SKIPPED, TWICE = Rule(1, time(2, 30), LONG_AGO), Rule(1, time(1, 30), LONG_AGO)
DAY_MOMENT = datetime(2025, 11, 18, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_at", "rule", "expected"),
    [
        (NINE, DAY, DAY_MOMENT),
        # Clocks went forward on 8 March 2026: the evening before is still the wall clock's half past five.
        (datetime(2026, 3, 8, 13, 0, tzinfo=UTC), DAY, datetime(2026, 3, 7, 22, 30, tzinfo=UTC)),
        (
            datetime(2026, 3, 9, 13, 0, tzinfo=UTC),
            SKIPPED,
            datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 2, 14, 0, tzinfo=UTC),
            TWICE,
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        ),
    ],
)
def test_a_reminder_keeps_the_clinics_wall_clock(starts_at, rule, expected):
    assert moment(starts_at, rule.days_before, rule.at_clock, YORK) == expected


@pytest.mark.parametrize(
    ("now", "since", "expected"),
    [
        (DAY_MOMENT - timedelta(seconds=1), LONG_AGO, WEEK),
        (DAY_MOMENT, LONG_AGO, DAY),  # the latest alone, when several have come
        (DAY_MOMENT, DAY_MOMENT + timedelta(seconds=1), None),  # booked or agreed after its moment
        (DAY_MOMENT - timedelta(days=30), LONG_AGO, None),
        (NINE, LONG_AGO, None),  # the time has come
    ],
)
def test_which_reminder_is_due(now, since, expected):
    assert due(NINE, [WEEK, DAY], YORK, since=since, now=now) == expected


def test_a_time_on_the_day_itself_after_the_appointment_is_none():
    assert due(NINE, [Rule(0, time(12), LONG_AGO)], YORK, since=LONG_AGO, now=NINE - timedelta(hours=1)) is None


@given(st.integers(0, 60), st.times(), st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 given its zone below
def test_a_moment_is_on_the_wall_day_before(days, at_clock, start):
    starts_at = start.replace(tzinfo=UTC)
    at_clock = at_clock.replace(second=0, microsecond=0)
    wall = moment(starts_at, days, at_clock, YORK).astimezone(YORK)
    assert starts_at.astimezone(YORK).date() - wall.date() == timedelta(days=days)
    assert wall.time() == at_clock or wall.utcoffset() != (wall - timedelta(hours=2)).utcoffset()


def test_the_protocols_text_goes_before_the_drugs_and_the_clinics():
    def text(words, drug=None, protocol=None, kind=TextKind.FASTING):
        return Text(kind, words, drug, protocol)

    texts = [text("all"), text("drug", drug="ketamine"), text("mine", protocol="1"), text("home", kind=TextKind.ESCORT)]
    chosen = lambda drug, protocol: [each.words for each in texts_for(texts, drug_name=drug, protocol=protocol)]  # noqa: E731
    assert chosen("ketamine", "1") == ["mine", "home"]
    assert chosen("ketamine", "2") == ["drug", "home"]
    assert chosen("lidocaine", "2") == ["all", "home"]


def test_a_drug_is_found_in_any_letters():
    assert names_a_drug("Before your Ketamine infusion", ["lidocaine", "ketamine"]) == "ketamine"
    assert names_a_drug("Before your infusion", ["lidocaine", "ketamine"]) is None
