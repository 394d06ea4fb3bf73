"""The week by chairs, for clinical eyes and for the desk."""

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from clinic.accounts.queries import first_clinic_id
from clinic.core import clock, db
from clinic.scheduling import operations
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.scheduling import DAY, DESK_OPENS, HOUR, NINE

WEEK = "/calendar?week=2025-11-19"


@pytest.fixture
def at_the_desk(client, scheduler):
    """The desk's browser, on Tuesday 18-Nov-2025 at 10:00 on the clinic's wall."""
    with clock.standing_at(DESK_OPENS + 6 * HOUR):
        client.sign_in(scheduler)
        yield client


def page(client, address=WEEK, status=200):
    answer = client.get(address)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_the_week_shows_who_sits_where_and_when(at_the_desk, make_booked):
    make_booked()
    text = page(at_the_desk)
    assert "17 to 21-Nov-2025" in text
    assert 'Tue 18<i class="now"> · today' in text
    assert "<time>09:00</time><b>Almeida</b><span>1/6</span>" in text


def test_a_clinic_without_chairs_is_led_to_the_first(at_the_desk, make_chair):
    assert "No chairs yet" in page(at_the_desk)
    make_chair()
    assert "No chairs yet" not in page(at_the_desk)


def test_the_desk_learns_no_drug(at_the_desk, make_booked, make_course):
    """Neither on the week, nor on the appointment, nor while booking."""
    booked = make_booked()
    waiting = make_course()
    for address in (WEEK, f"/calendar/appointments/{booked.id}", f"/calendar/book?course={waiting.id}"):
        text = page(at_the_desk, address).lower()
        assert not [word for word in ("ketamine", "ket 1", "neuropathic", "mg/") if word in text]


def test_a_nurse_sees_the_drug(client, nurse, make_booked):
    booked = make_booked()
    client.sign_in(nurse)
    assert "<span>ket 1/6</span>" in page(client)
    assert "Ketamine course 1" in page(client, f"/calendar/appointments/{booked.id}")


def test_a_stranger_finds_nothing(client, stranger, make_booked, make_course):
    booked, waiting = make_booked(), make_course()
    client.sign_in(stranger, first_clinic_id(stranger.id))
    assert "Almeida" not in page(client)
    page(client, f"/calendar/appointments/{booked.id}", 404)
    page(client, f"/calendar/book?course={waiting.id}", 404)


def test_two_patients_of_one_name_are_told_apart(at_the_desk, make_patient, make_course, make_booked):
    for given_name in ("Jae", "Soo"):
        make_booked(make_course(make_patient(family_name="Kim", given_name=given_name, allergies=())))
    text = page(at_the_desk)
    assert "<b>Kim J</b>" in text
    assert "<b>Kim S</b>" in text


def test_a_cancelled_time_leaves_the_week_and_a_missed_one_stays(at_the_desk, make_booked, scheduler):
    cancelled, missed = make_booked(), make_booked(starts_at=NINE + DAY)
    operations.cancel(cancelled, reason="x", by=scheduler, at=DESK_OPENS)
    operations.mark_no_show(missed, reason="x", by=scheduler, at=NINE + DAY)
    text = page(at_the_desk)
    assert text.count("<b>Almeida</b>") == 1
    assert "<span>no-show</span>" in text


def test_a_closed_chair_says_why(at_the_desk, make_chair, scheduler):
    operations.close_chair(
        make_chair(), starts_at=NINE, ends_at=NINE + 3 * DAY, reason="service", by=scheduler, at=DESK_OPENS
    )
    assert page(at_the_desk).count("<b>closed</b><span>service</span>") == 3


def test_a_patient_who_is_there_is_marked(at_the_desk, make_booked, scheduler):
    operations.change_status(make_booked(), AppointmentStatus.ARRIVED, by=scheduler, at=NINE)
    assert 'class="ev run"' in page(at_the_desk)


def test_hours_outside_the_usual_widen_the_day(at_the_desk, make_booked):
    make_booked(starts_at=NINE + 7 * HOUR)
    assert "<i>08</i><i>13</i><i>19</i>" in page(at_the_desk)


def test_saturday_is_shown_when_somebody_comes(at_the_desk, make_booked):
    assert "Sat 22" not in page(at_the_desk)
    make_booked(starts_at=NINE + 3 * DAY)
    assert "17 to 22-Nov-2025" in page(at_the_desk)


def test_the_strip_says_where_nurses_are_missing(at_the_desk, limit_nurses, make_booked, make_shift, nurse):
    limit_nurses(1)
    make_shift(nurse)
    for _ in range(2):
        make_booked()
    text = page(at_the_desk)
    assert "Wed 19: at most 2 patients at once, at 09:00 with 1 nurse on duty; too few nurses at 09:00, 09:30" in text
    assert "nurses of 1" in text


def test_weeks_can_be_turned(at_the_desk):
    text = page(at_the_desk)
    assert "week=2025-11-10" in text
    assert "week=2025-11-24" in text


@pytest.mark.parametrize("week", ["2025-13-01", "next", "0001-01-01", "9999-12-31"])
def test_a_week_that_cannot_be_is_refused(at_the_desk, week):
    assert at_the_desk.get(f"/calendar?week={week}").status_code == 400


def test_signed_orders_wait_to_be_placed(at_the_desk, make_course, make_booked, make_patient):
    make_booked(make_course(make_patient(family_name="Kim", given_name="Jae", allergies=())))
    make_course(make_patient(family_name="Osei", given_name="Ama", allergies=()), sign=False)
    text = page(at_the_desk)
    assert "KIM, Jae" in text
    assert "5 of 6" in text
    assert "OSEI, Ama" not in text


def queries_of(client, address):
    statements = []
    listening = db.session.get_bind().engine
    note = lambda *arguments: statements.append(arguments[2])  # noqa: E731 a listener
    event.listen(listening, "before_cursor_execute", note)
    try:
        page(client, address)
    finally:
        event.remove(listening, "before_cursor_execute", note)
    return [line for line in statements if not line.startswith(("SAVEPOINT", "RELEASE"))]


def test_the_week_asks_no_more_for_sixty_than_for_five(at_the_desk, make_course, make_chair, make_booked, make_shift):
    """The number of reads does not grow with appointments, chairs, courses or people."""
    chairs = [make_chair() for _ in range(12)]
    make_five(make_course, make_booked, chairs, range(5))
    page(at_the_desk)  # the reading is noted once in a while
    db.session.expire_all()
    few = queries_of(at_the_desk, WEEK)
    make_five(make_course, make_booked, chairs, range(5, 60))
    db.session.expire_all()
    many = queries_of(at_the_desk, WEEK)
    assert len(many) == len(few), set(many) - set(few)
    assert db.session.scalar(sa.text("SELECT count(*) FROM appointment")) == 60


def make_five(make_course, make_booked, chairs, numbers):
    """Appointments in many chairs and on many days, six of each course."""
    course = None
    for number in numbers:
        if course is None or number % 6 == 0:
            course = make_course()
        day, chair = divmod(number, 12)
        make_booked(
            course, number % 6 + 1, chair=chairs[chair], starts_at=NINE + day * DAY + (number % 6) * HOUR, hours=1
        )
