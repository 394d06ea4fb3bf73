"""An order that was spoken is written down by another, read back, and signed by its speaker alone."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.core import db
from clinic.core.errors import RuleBroken
from clinic.orders import operations, queries
from clinic.orders.models import VerbalOrder
from clinic.orders.rules import SpokenMode
from tests.factories.accounts import PASSWORD
from tests.factories.courses import SIGNED

LATER = SIGNED + timedelta(days=2)


@pytest.fixture
def speak(make_order_version, nurse, signing_physician):
    version = make_order_version()

    def do(*, spoken_by=signing_physician, mode=SpokenMode.TELEPHONE, is_read_back=True, spoken_at=LATER, by=nurse):
        return operations.write_verbal_order(
            version,
            "Lower to 10 mg per hour.",
            spoken_by=spoken_by,
            spoken_at=spoken_at,
            mode=mode,
            is_read_back=is_read_back,
            by=by,
            at=LATER,
        )

    return do


def test_a_spoken_order_waits_for_its_speaker(speak, signing_physician, physician):
    spoken = speak()
    assert queries.unsigned_verbal_orders(signing_physician) == [spoken]
    assert queries.unsigned_verbal_orders(physician) == []
    operations.sign_verbal_order(spoken, by=signing_physician, password=PASSWORD, at=LATER)
    assert queries.unsigned_verbal_orders(signing_physician) == []


def test_only_the_speaker_signs(speak, physician):
    with pytest.raises(RuleBroken, match="spoke"):
        operations.sign_verbal_order(speak(), by=physician, password=PASSWORD, at=LATER)


def test_a_spoken_order_is_read_back(speak):
    with pytest.raises(RuleBroken, match="Read the order back"):
        speak(is_read_back=False)


def test_a_spoken_order_says_how_it_was_spoken(speak):
    with pytest.raises(RuleBroken, match="by telephone"):
        speak(mode=None)
    assert operations.verbal_content(speak())["mode"] is SpokenMode.TELEPHONE


def test_what_was_signed_before_it_was_asked_keeps_its_content(speak):
    spoken = speak()
    db.session.expunge(spoken)
    spoken.mode = None
    assert "mode" not in operations.verbal_content(spoken)


def test_the_database_takes_no_spoken_order_without_its_mode(speak):
    row = {column.key: getattr(speak(), column.key) for column in VerbalOrder.__mapper__.column_attrs}
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(sa.insert(VerbalOrder).values(row | {"id": uuid.uuid4(), "mode": None}))


def test_a_nurse_speaks_no_order(speak, second_nurse):
    with pytest.raises(RuleBroken, match="physician"):
        speak(spoken_by=second_nurse)


def test_nobody_writes_down_what_he_says_himself(speak, signing_physician):
    with pytest.raises(RuleBroken, match="two people"):
        speak(by=signing_physician)


def test_nothing_is_spoken_in_the_future(speak):
    with pytest.raises(RuleBroken, match="future"):
        speak(spoken_at=LATER + timedelta(minutes=1))
