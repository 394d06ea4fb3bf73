"""What became of an appointment, as a calendar that subscribed to it is told."""

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from clinic.core.sharing import TellsNames
from clinic.ical.rules import FeedKind, Row, lives, shown, who

AT = datetime(2025, 11, 18, 9, 0, tzinfo=UTC)
FIRST, SECOND, THIRD, OTHER = (uuid.UUID(int=number) for number in range(1, 5))
MOVED_TWICE = [Row(THIRD, SECOND, 1, AT), Row(FIRST, None, 2, AT), Row(SECOND, FIRST, 2, AT), Row(OTHER, None, 1, AT)]


def test_a_moved_appointment_keeps_its_name_and_counts_its_changes():
    found = lives(MOVED_TWICE)
    assert {found[key].uid_of for key in (FIRST, SECOND, THIRD)} == {FIRST}
    assert (found[FIRST].last_id, found[FIRST].sequence) == (THIRD, 4)
    assert (found[OTHER].uid_of, found[OTHER].sequence) == (OTHER, 0)


def test_it_is_shown_once_where_it_stands_now():
    assert shown([FIRST, SECOND, THIRD], lives(MOVED_TWICE)) == {THIRD: False}


def test_where_it_stood_before_it_is_shown_as_gone():
    assert shown([FIRST, SECOND, OTHER], lives(MOVED_TWICE)) == {SECOND: True, OTHER: False}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_every_change_of_any_row_makes_the_sequence_grow(versions, data):
    keys = [uuid.UUID(int=number + 1) for number in range(len(versions))]
    rows = [Row(key, before, version, AT) for key, before, version in zip(keys, [None, *keys], versions, strict=False)]
    changed = data.draw(st.integers(0, len(rows) - 1))
    later = [Row(r.id, r.moved_from_id, r.version + (n == changed), AT) for n, r in enumerate(rows)]
    assert lives(later)[keys[0]].sequence == lives(rows)[keys[0]].sequence + 1
    if len(rows) > 1:  # a move cancels the row before and adds one
        assert lives(rows)[keys[0]].sequence > lives(rows[:-1])[keys[0]].sequence


def test_a_calendar_names_nobody_until_the_clinic_says_so():
    names = {"name": "ALMEIDA, Rosa", "initials": "RA"}
    assert who(FeedKind.NURSE, None, **names) is None
    assert who(FeedKind.CHAIR, TellsNames.INITIALS, **names) == "RA"
    assert who(FeedKind.PHYSICIAN, TellsNames.NAMES, **names) == "ALMEIDA, Rosa"
    assert who(FeedKind.PATIENT, TellsNames.NAMES, **names) is None
