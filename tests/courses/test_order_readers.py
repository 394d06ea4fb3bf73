"""Who reads, writes and speaks an order on its pages, and what the page says of it in time."""

from datetime import datetime

import pytest

from clinic.core import clock, db
from tests.factories.accounts import PASSWORD


def test_a_nurse_reads_an_order_and_cannot_write_one(client, course, nurse):
    client.sign_in(nurse)
    assert client.get(f"/courses/{course.id}/orders/1").status_code == 200
    assert client.get(f"/courses/{course.id}/orders/new").status_code == 403


def test_the_desk_reads_no_order(client, course, scheduler):
    client.sign_in(scheduler)
    assert client.get(f"/courses/{course.id}/orders/1").status_code == 403


@pytest.mark.parametrize("part", ["orders/1", "orders/new", "orders/1/draft", "orders/1/spoken"])
def test_a_stranger_finds_no_course(refuses_strangers, make_course, part):
    refuses_strangers(f"/courses/{make_course(sign=False).id}/{part}")


@pytest.mark.parametrize(
    "part", ["orders/1/sign", "orders/new", "orders/1/draft", "orders/1/cancel", "orders/1/spoken"]
)
def test_a_stranger_changes_no_course(refuses_strangers, make_course, part):
    refuses_strangers(f"/courses/{make_course(sign=False).id}/{part}", method="POST", data={"password": PASSWORD})


def test_a_stranger_begins_no_course_here(refuses_strangers, patient, make_protocol_version):
    refuses_strangers(f"/courses/new?patient={patient.id}&protocol={make_protocol_version().id}")


def test_a_nurse_writes_what_was_spoken_and_the_speaker_signs_it(client, course, nurse, signing_physician, patient):
    client.sign_in(nurse)
    address = f"/courses/{course.id}/orders/1/spoken"
    assert client.get(address).status_code == 200
    spoken = {
        "spoken_by_id": signing_physician.id,
        "spoken_mode": "telephone",
        "text": "Lower to 10 mg per hour",
        "day": "18-Nov-2025",
        "clock": "03:31",
        "is_read_back": "y",
        "patient_id": patient.id,
    }
    assert "Read the order back" in client.post(address, data=spoken | {"is_read_back": ""}).text
    assert client.post(address, data=spoken).status_code == 303
    client.sign_in(signing_physician)
    page = client.get(f"/courses/{course.id}/orders/1").text
    link = page[page.index("/verbal-orders/") :][:51]
    unread = client.post(f"{link}/sign", data={"password": PASSWORD, "patient_id": patient.id})
    assert unread.status_code == 409
    assert "Lower to 10 mg per hour" in unread.text
    signed = client.sign_as_read(link, password=PASSWORD, patient_id=patient.id)
    assert signed.status_code == 303
    assert "Content unchanged" in client.get(link).text


def test_an_order_page_costs_the_same_whatever_it_holds(client, course, make_order_version, make_draft, count_queries):
    def cost(number):
        address = f"/courses/{course.id}/orders/{number}"
        client.get(address)
        db.session.expire_all()
        with count_queries() as sent:
            assert client.get(address).status_code == 200
        return len(sent)

    order, weight = course.order, course.order.versions[0].weight
    make_order_version(order=order, weight=weight)
    few = cost(2)
    for _ in range(3):
        make_order_version(order=order, weight=weight, draft=make_draft(limits=make_draft().limits * 3))
    assert cost(5) == few


@pytest.mark.parametrize(("on", "said"), [("2026-05-31", "In force"), ("2026-06-01", "Expired")])
def test_an_order_says_that_its_time_is_over(client, course, signing_physician, on, said):
    with clock.standing_at(datetime.fromisoformat(f"{on}T16:00:00+00:00")):
        client.sign_in(signing_physician)
        page = client.get(f"/courses/{course.id}/orders/1").text
        assert f'<b class="t">{said}</b>' in page
        assert ("No infusion starts under it" in page) is (said == "Expired")
        assert f"version 1, {said.lower()}" in client.get(f"/courses/{course.id}").text


def test_an_order_says_that_its_sessions_are_used(client, make_stopped, plain_drug, signing_physician):
    course = make_stopped(drug_id=plain_drug.id, sessions_planned=1).course
    client.sign_in(signing_physician)
    assert "Completed: every session that it allows was used." in client.get(f"/courses/{course.id}/orders/1").text
    assert "version 1, completed" in client.get(f"/courses/{course.id}").text
