"""Twelve browsers press Book at the same moment, through the whole application."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.core import clock, db, times
from clinic.scheduling.models import Appointment
from tests.factories.scheduling import DESK_OPENS

BROWSERS = 12


class Browser(threading.Thread):
    """A signed-in browser that posts one form when all are ready."""

    def __init__(self, client, barrier, address, form):
        super().__init__()
        self._client, self._barrier, self._address, self._form = client, barrier, address, form
        self.status = None

    def run(self):
        self._barrier.wait()
        with clock.standing_at(DESK_OPENS):  # a thread begins with the clock of the wall
            self.status = self._client.post(self._address, data=self._form).status_code


@pytest.fixture
def posts(committed_db, request):
    """Twelve filled booking forms: another patient each, one chair, one time a month later."""
    make = request.getfixturevalue
    people = [make(name) for name in ("clinic", "scheduler", "nurse", "physician", "signing_physician")]
    with db.unit_of_work():
        db.session.add_all(people)
        chair = make("make_chair")().id
        courses = [make("make_active_course")(make("make_patient")(allergies=())) for _ in range(BROWSERS)]
    day = times.date_label((DESK_OPENS + timedelta(days=30)).date())
    row = {"length": "200", "day_1": day, "clock_1": "09:00", "chair_1": str(chair), "nurse_1": ""}
    return [(f"/calendar/book?course={each.id}", {"patient_id": str(each.patient_id), **row}) for each in courses]


def test_one_of_twelve_gets_the_chair(app, clinic, scheduler, posts):
    barrier = threading.Barrier(BROWSERS)
    browsers = []
    for address, form in posts:
        client = app.test_client()
        with clock.standing_at(DESK_OPENS):
            client.sign_in(scheduler, clinic.id)
        browsers.append(Browser(client, barrier, address, form))
    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join(120)
    assert sorted(browser.status or 0 for browser in browsers) == [303] + [422] * (BROWSERS - 1)
    with db.in_clinic(clinic.id), db.unit_of_work(write=False):
        assert db.session.scalar(sa.select(sa.func.count(Appointment.id))) == 1
