"""The next order is written beside the course: what changes is marked, kept or signed there."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.courses.pages import dosing_weight
from clinic.orders.rules import DosingWeight, OrderStatus
from clinic.protocols.terms import draft_of
from clinic.protocols.text_rules import parse_limits
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Appointment
from clinic.scheduling.rules import AppointmentStatus
from tests.factories.accounts import PASSWORD
from tests.factories.notes import DAY, LATER


@pytest.fixture
def physicians_browser(client, signing_physician):
    """A browser with the physician signed in, a day after the first session."""
    client.sign_in(signing_physician)
    with clock.standing_at(LATER + 1 * DAY):
        yield client


@pytest.fixture
def course(make_plain_course, give_session, make_appointment, nurse):
    """A course of three sessions: one given, the next one booked."""
    made = make_plain_course(3)
    give_session(made, 1, by=nurse)
    make_appointment(made, number=2, starts_at=LATER + 3 * DAY)
    return made


def text(page):
    return page.get_data(as_text=True)


@pytest.fixture
def shown(physicians_browser, course):
    """Reads off the page what it shows of the order besides its fields."""

    def read():
        found = re.search(r'name="shown"[^>]* value="([^"]*)"', text(physicians_browser.get(f"/courses/{course.id}")))
        return found[1] if found else ""

    return read


@pytest.fixture
def send(physicians_browser, course, shown):
    """Sends the form beside the course, with values of its own over those of the order in force."""

    def post(act, **values):
        version = course.order.current
        form = {
            "act": act,
            "start_amount": "0.2",
            "step_amount": "0.05",
            "step_every_min": "30",
            "highest_amount": "0.35",
            "maximum_total_mg": "60",
            "limit_notify_sbp": "160 or less",
            "weight_id": str(dosing_weight(course.patient).id),
            "before_id": str(version.id),
            "change_reason": "Nausea at the highest rate.",
            "password": PASSWORD,
            "shown": values.get("shown") or shown(),
        }
        return physicians_browser.post(f"/courses/{course.id}/next-order", data=form | values)

    return post


def newest(course):
    db.session.expire_all()
    return course.order.versions[-1]


def test_the_values_of_the_order_in_force_stand_beside_the_course(physicians_browser, course):
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "Order for session 2" in page
    assert 'name="highest_amount" type="text" value="0.35"' in page.replace("  ", " ")
    assert "hold: SpO2 at least 92%" in page
    assert "ondansetron as needed" in page
    assert 'class="in chg"' not in page


def test_what_stays_names_each_level_once(physicians_browser, make_plain_course):
    limits = tuple(parse_limits("SpO2<94 or HR>110; hold SpO2<90")[0])
    page = text(physicians_browser.get(f"/courses/{make_plain_course(3, terms={'limits': limits}).id}"))
    assert "notify: Heart rate 110 per min or less, SpO2 at least 94%, hold: SpO2 at least 90%" in page


def test_what_is_changed_is_marked_and_nothing_is_saved(send, course):
    page = text(send("read", highest_amount="0.3"))
    assert "was 0.35" in page
    assert page.count('class="in chg"') == 1
    assert len(course.order.versions) == 1


def test_the_next_order_is_signed_beside_the_course(send, course):
    assert send("sign", highest_amount="0.3").status_code == 303
    signed = newest(course)
    assert (signed.number, signed.status) == (2, OrderStatus.ACTIVE)
    assert signed.terms.highest_amount == Decimal("0.3")
    assert signed.terms.step_amount == Decimal("0.05")
    assert len(signed.terms.limits) == len(course.order.versions[0].terms.limits)
    assert len(signed.terms.checks) == len(course.order.versions[0].terms.checks)


def test_a_draft_is_kept_and_its_change_stands_in_the_table(send, physicians_browser, course):
    send("keep", highest_amount="0.3")
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "was 0.35" in page
    assert "draft 20.4" in page  # 0.3 mg/kg/h for 68 kg


def test_without_the_password_nothing_is_saved_and_the_value_stays(send, course):
    answer = send("sign", highest_amount="0.3", password="")
    assert answer.status_code == 422
    assert 'value="0.3"' in text(answer)
    assert len(course.order.versions) == 1


def test_a_value_that_cannot_be_read_is_refused_at_its_field(send):
    answer = send("sign", limit_notify_sbp="about 160")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text(answer)


def test_a_form_drawn_before_another_signature_is_a_conflict(send, course):
    before = str(course.order.current.id)
    send("sign", highest_amount="0.3")
    assert send("sign", highest_amount="0.25", before_id=before).status_code == 409
    assert newest(course).number == 2


@pytest.mark.parametrize(("ticked", "allowed"), [({}, 2), ({"is_for_rest": "y"}, 3)])
def test_an_order_holds_for_the_next_session_unless_said_otherwise(send, course, ticked, allowed):
    send("keep", **ticked)
    assert newest(course).sessions_allowed == allowed


def test_a_missed_session_does_not_let_the_order_for_one_session_count_two(send, course, make_appointment):
    missed = db.session.scalars(sa.select(Appointment).where(Appointment.session_number == 2)).one()
    with db.unit_of_work():
        scheduling.change_status(
            missed, AppointmentStatus.CANCELLED, reason="Ill.", by=course.physician, at=LATER + 1 * DAY
        )
    make_appointment(course, number=3, starts_at=LATER + 5 * DAY)
    send("keep")
    assert newest(course).sessions_allowed == 2


def test_the_next_session_shows_its_own_dose_of_a_draft(physicians_browser, course, signing_physician):
    doses = (Decimal("0.2"), Decimal("0.3"), Decimal("0.35"))
    before = course.order.current
    plain = {"start_amount": None, "step_amount": None, "step_every_min": None, "highest_amount": None}
    with db.unit_of_work():
        courses.adjust(
            course,
            replace(draft_of(before.terms), session_amounts=doses, **plain),
            reason="Stepped by session.",
            weight=before.weight,
            valid_from=before.valid_from,
            valid_until=before.valid_until,
            by=signing_physician,
            at=LATER,
        )
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "draft 20.4" in page  # 0.3 mg/kg/h for 68 kg
    assert 'value="0.2, 0.3, 0.35"' in page


def test_the_weight_that_the_order_is_dosed_on_stays(send, physicians_browser, course, signing_physician):
    dosing = DosingWeight(Decimal("61.5"), "Devine, height 168 cm", date(2025, 11, 17))
    before = course.order.current
    with db.unit_of_work():
        courses.adjust(
            course,
            draft_of(before.terms),
            reason="Ideal weight.",
            weight=dosing_weight(course.patient),
            dosing=dosing,
            valid_from=None,
            valid_until=None,
            by=signing_physician,
            at=LATER,
        )
    assert send("keep", highest_amount="0.3", version="1").status_code == 303
    assert newest(course).dosing_weight == dosing
    assert "Devine, height 168 cm" in text(physicians_browser.get(f"/courses/{course.id}"))


def test_nothing_is_signed_for_another_session_than_the_page_said(send, course, shown, make_appointment, scheduler):
    make_appointment(course, number=3, starts_at=LATER + 5 * DAY)
    drawn = shown()
    second = db.session.scalars(sa.select(Appointment).where(Appointment.session_number == 2)).one()
    with db.unit_of_work():
        scheduling.cancel(second, reason="The patient is ill.", by=scheduler, at=LATER)
    answer = send("sign", highest_amount="0.3", shown=drawn)
    assert answer.status_code == 409
    assert "0.3" in text(answer)
    assert newest(course).number == 1


def test_a_draft_says_here_from_which_day_to_which_it_holds(send, physicians_browser, course, signing_physician, shown):
    drawn = shown()
    send("keep")
    version = newest(course)
    with db.unit_of_work():
        version.valid_until = date(2025, 11, 30)
    page = text(physicians_browser.get(f"/courses/{course.id}"))
    assert "Valid until" in page
    assert "30-Nov-2025" in page
    assert send("sign", version=version.version, shown=drawn).status_code == 409
    assert send("sign", version=version.version).status_code == 303


def test_a_draft_that_a_colleague_writes_at_this_moment_is_a_conflict_with_both_sides(send, course, shown):
    send("keep")
    version, drawn = newest(course), {"version": newest(course).version, "shown": shown()}
    again = "UPDATE order_version SET version = version + 1 WHERE number = 2"

    @sa.event.listens_for(db.session, "before_flush")
    def colleague(session, *_):
        if version in session.dirty:
            session.connection().execute(sa.text(again))

    answer = send("sign", highest_amount="0.3", **drawn)
    sa.event.remove(db.session, "before_flush", colleague)
    assert answer.status_code == 409
    assert "0.3" in text(answer)
    assert "Nothing of yours was signed or saved." in text(answer)
    assert version.status is OrderStatus.DRAFT
