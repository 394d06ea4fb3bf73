"""Rows as plain values: what a check code is over."""

import uuid

import pytest

from clinic.core.rows import columns
from clinic.druglog.models import RegisterEntry
from clinic.scheduling.models import Appointment
from clinic.sessions.models import AdministrationEvent, IvRecord, ObservationNotDone

ADDED = [
    (AdministrationEvent, "preparation_id"),
    *((RegisterEntry, name) for name in ("register_id", "about_id", "stock_count_id", "preparation_id")),
    (IvRecord, "supersedes_id"),
    (ObservationNotDone, "supersedes_id"),
    *((Appointment, name) for name in ("pump_id", "lost_reason_id", "overridden_by_id")),
]


@pytest.mark.parametrize(("kind", "name"), ADDED)
def test_a_column_that_came_after_the_first_prints_counts_only_where_it_says_something(kind, name):
    assert name not in columns(kind())
    key = uuid.uuid4()
    assert columns(kind(**{name: key}))[name] == key


def test_an_empty_value_of_the_first_columns_counts():
    assert columns(AdministrationEvent())["rate_ml_h"] is None


def test_a_flag_that_came_later_counts_once_it_is_set():
    assert "is_void" not in columns(IvRecord(is_void=False))
    assert columns(IvRecord(is_void=True))["is_void"] is True
