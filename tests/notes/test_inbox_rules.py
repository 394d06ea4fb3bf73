"""What comes first in the inbox."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.notes.inbox_rules import (
    Group,
    ItemKind,
    OrderSpan,
    age_words,
    gravity_of,
    group_of,
    grouped,
    is_covered,
    outside_words,
    ranked,
    until_words,
)

NOW = datetime(2025, 11, 18, 22, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    group: Group
    gravity: int
    is_mine: bool
    since: datetime


ITEMS = st.builds(
    Item,
    st.sampled_from(Group),
    st.integers(0, 5),
    st.booleans(),
    st.integers(0, 10_000).map(lambda minutes: NOW - timedelta(minutes=minutes)),
)


@given(st.lists(ITEMS))
def test_own_items_stand_before_the_clinics_and_the_gravest_and_oldest_lead(items):
    found = ranked(items)
    assert sorted(map(id, found)) == sorted(map(id, items))
    for before, after in pairwise(found):
        assert list(Group).index(before.group) <= list(Group).index(after.group)
        if before.group is after.group and before.is_mine == after.is_mine:
            assert before.gravity >= after.gravity
            if before.gravity == after.gravity:
                assert before.since <= after.since
        if before.group is after.group:
            assert before.is_mine or not after.is_mine


@given(st.lists(ITEMS))
def test_every_item_stands_in_one_group(items):
    assert sum(len(part) for part in grouped(items).values()) == len(items)
    assert list(grouped(items)) == list(Group)


@given(st.one_of(st.none(), st.integers(1, 5)))
def test_a_serious_event_is_grave_whatever_its_grade(grade):
    assert group_of(ItemKind.EVENT, gravity=gravity_of(grade, is_serious=True)) is Group.SIGN


def test_a_mild_event_is_for_information():
    assert group_of(ItemKind.EVENT, gravity=gravity_of(1, is_serious=None)) is Group.INFORMATION


def test_an_order_that_a_booked_session_waits_for_comes_before_all():
    assert group_of(ItemKind.ORDER, is_before_a_session=True) is Group.BEFORE
    assert group_of(ItemKind.ORDER) is Group.SIGN


@pytest.mark.parametrize(
    ("hours", "words"), [(44, "in 1 day 20 h"), (16, "in 16 h"), (0.5, "in 30 min"), (48, "in 2 days"), (-1, "now")]
)
def test_says_how_soon(hours, words):
    assert until_words(NOW + timedelta(hours=hours), NOW) == words


@pytest.mark.parametrize(("hours", "words"), [(0.2, "12 min"), (3.5, "3 h"), (25, "1 day"), (80, "3 days")])
def test_says_how_old(hours, words):
    assert age_words(NOW - timedelta(hours=hours), NOW) == words


def test_counts_what_was_outside():
    assert outside_words(1, 2) == "1 value outside limits, 2 events."
    assert not outside_words(0, 0)


@given(st.integers(-40, 40))
def test_an_order_covers_its_days_and_no_other(offset):
    first, last = date(2025, 11, 10), date(2025, 11, 20)
    on = first + timedelta(days=offset)
    assert is_covered([OrderSpan(True, first, last)], on) is (first <= on <= last)
    assert not is_covered([OrderSpan(False, first, last)], on)


@pytest.mark.parametrize(("session", "covered"), [(4, True), (5, True), (6, False)])
def test_an_order_covers_the_sessions_that_it_allows(session, covered):
    assert is_covered([OrderSpan(True, None, None, 5)], date(2025, 11, 10), session) is covered
