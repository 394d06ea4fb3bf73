"""A resident signs an order and asks for the co-signature; the other physician finds it in the inbox."""

from datetime import timedelta

import pytest

from clinic.core import clock, db
from clinic.core.permissions import Role
from clinic.notes.inbox import inbox_count
from clinic.orders import cosigning
from clinic.orders.rules import OrderCosign, OrderStatus
from clinic.sessions import operations as sessions
from tests.factories.accounts import PASSWORD
from tests.factories.courses import SIGNED
from tests.factories.sessions import ARRIVED

LATER = SIGNED + timedelta(hours=1)


@pytest.fixture
def resident(make_staff, signing_physician):
    person = make_staff(Role.PHYSICIAN, family_name="Marsh", password=PASSWORD)
    with db.unit_of_work():
        cosigning.set_rule(
            person, OrderCosign.FIRST, cosigner=signing_physician, reason="In training.", by=signing_physician,
            password=PASSWORD, at=SIGNED,
        )  # fmt: skip
    return person


@pytest.fixture
def reader(client):
    with clock.standing_at(LATER):
        yield client


@pytest.fixture
def waiting(make_course, resident):
    return make_course(physician=resident)


def test_the_signer_is_told_before_and_asks_for_it(reader, make_course, resident, signing_physician):
    course = make_course(physician=resident, sign=False)
    address = f"/courses/{course.id}/orders/1"
    reader.sign_in(resident)
    page = reader.get(address).text
    assert f"Needs a co-signature by {signing_physician.name}" in page
    assert "Sign and ask for co-signature" in page
    signed = reader.sign_as_read(
        address, password=PASSWORD, excess_reason="Discussed.", version=course.order.versions[0].version
    )
    assert signed.status_code == 303
    assert "Nothing is given under it before" in reader.get(address).text


def test_it_is_cosigned_in_the_inbox_where_it_is_read(reader, waiting, signing_physician):
    version = waiting.order.versions[0]
    reader.sign_in(signing_physician)
    page = reader.get(f"/inbox/{version.id}").text
    assert "Order to co-sign" in page
    done = reader.sign_as_read(f"/inbox/{version.id}", password=PASSWORD)
    assert done.status_code == 303
    assert version.status is OrderStatus.ACTIVE
    assert "Co-signature" in reader.get(f"/courses/{waiting.id}/orders/1").text


def test_sent_back_it_waits_for_its_signer_until_the_next_is_written(reader, waiting, resident, signing_physician):
    address = f"/courses/{waiting.id}/orders/1"
    reader.sign_in(signing_physician)
    assert reader.post(f"{address}/decline", data={"return_reason": "Which weight?"}).status_code == 303
    assert [inbox_count(one, LATER) for one in (signing_physician, resident)] == [0, 1]
    reader.sign_in(resident)
    assert "Which weight?" in reader.get("/inbox").text
    assert "Write the next version" in reader.get(address).text
    assert reader.get(f"/courses/{waiting.id}/orders/new").status_code == 200


def test_its_signer_is_not_offered_to_cosign_it(reader, waiting, resident):
    reader.sign_in(resident)
    page = reader.get(f"/courses/{waiting.id}/orders/1").text
    assert "Co-sign order" not in page
    refused = reader.post(f"/courses/{waiting.id}/orders/1/co-sign", data={"password": PASSWORD, "seen": ""})
    assert refused.status_code == 409


def test_the_course_page_says_what_it_waits_for(reader, waiting, signing_physician):
    reader.sign_in(signing_physician)
    assert "Nothing is given under it before it is co-signed" in reader.get(f"/courses/{waiting.id}").text


def test_a_physician_says_whose_orders_are_cosigned(reader, resident, signing_physician):
    reader.sign_in(signing_physician)
    data = {
        "staff_id": str(resident.id), "cosign": "later", "cosigner_id": "none", "reason": "Second year.",
        "password": PASSWORD,
    }  # fmt: skip
    assert reader.post("/clinic/co-signatures/orders", data=data).status_code == 303
    page = reader.get("/clinic/co-signatures/orders").text
    assert "the order is used meanwhile" in page
    assert "Second year." in page


@pytest.fixture
def arrived(make_plain_course, make_appointment, resident, signing_physician, nurse):
    """Somebody has come for a session under an order that is in force and waits for its co-signature."""
    with db.unit_of_work():
        cosigning.set_rule(
            resident, OrderCosign.LATER, cosigner=None, reason="Second year.", by=signing_physician,
            password=PASSWORD, at=SIGNED,
        )  # fmt: skip
    appointment = make_appointment(make_plain_course(physician=resident), number=1, starts_at=ARRIVED)
    with db.unit_of_work():
        return sessions.arrive(appointment, arrived_at=ARRIVED, by=nurse, at=ARRIVED)


@pytest.mark.parametrize("is_cosigned", [False, True])
def test_at_the_chair_stands_how_the_second_signature_is(client, arrived, signing_physician, nurse, is_cosigned):
    if is_cosigned:
        cosigning.cosign(arrived.order_version, by=signing_physician, password=PASSWORD, at=LATER)
    words = f"co-signed {signing_physician.name}" if is_cosigned else "waits for its co-signature"
    with clock.standing_at(ARRIVED):
        client.sign_in(nurse)
        assert words in client.get(f"/sessions/{arrived.id}/checklist").text
