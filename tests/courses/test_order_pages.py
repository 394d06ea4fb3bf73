"""The physician's path: patient, new course from a protocol, order, sign; then adjust."""

import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from clinic.accounts.models import LoginFailure
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.courses import queries
from clinic.courses.rules import CourseStatus
from clinic.orders.rules import OrderStatus
from clinic.patients import queries as patients
from clinic.protocols.terms import draft_of
from tests.courses.signing import signing
from tests.factories.accounts import PASSWORD
from tests.protocols.filled import filled


@pytest.fixture
def begun(client, signing_physician, patient, make_protocol_version, make_weight):
    """The page of a new course: its address and what a browser would send from it."""
    version = make_protocol_version()
    weight = patients.last_weight(patient.id)
    client.sign_in(signing_physician)
    address = f"/courses/new?patient={patient.id}&protocol={version.id}"
    data = filled(draft_of(version.terms)) | {
        "patient_id": patient.id,
        "indication": "Neuropathic pain",
        "intent": "series",
        "weight_id": weight.id,
        "valid_from": "",
        "valid_until": "31-May-2026",
    }
    return address, data


def test_the_protocols_values_stand_in_the_form(client, begun):
    page = client.get(begun[0])
    assert page.status_code == 200
    assert 'value="0.2"' in page.text
    assert "0 values" in page.text


def test_a_changed_value_is_marked_with_the_protocols(client, begun):
    address, data = begun
    page = client.post(address, data=data | {"act": "read", "start_amount": "0.1"})
    assert page.status_code == 200
    assert "protocol 0.2" in page.text
    assert "1 value<" in page.text
    assert "start 0.1\u00a0mg per kg per hour" in page.text
    assert "6.8\u00a0mg/h" in page.text


def remarked(page):
    """What the page brings back of what stands outside."""
    return re.search(r'name="remarked" value="([^"]*)"', page.text)[1]


DOSING = {
    "weight_rule": "ideal",
    "dosing_weight_kg": "61.5",
    "dosing_weight_basis": "Devine, height 168 cm",
    "dosing_weight_on": "17-Nov-2025",
}


def test_the_weight_to_dose_on_is_typed_with_its_basis_and_signed(client, begun, patient):
    address, data = begun
    read = client.post(address, data=data | DOSING | {"act": "read"})
    page = read.text
    assert "61.5\u00a0kg, ideal weight: Devine, height 168 cm, 17-Nov-2025; on the scale 68\u00a0kg" in page
    assert "12.3\u00a0mg/h" in page  # 0.2 mg per kg per hour
    why = {"excess_reason": "Discussed.", "remarked": remarked(read)}
    client.post(address, data=data | DOSING | why | {"act": "sign", "password": PASSWORD})
    (course,) = queries.courses_of(patient.id)
    version = course.order.current
    assert (version.weight.kg, version.weight_used_kg) == (68, Decimal("61.5"))
    assert '"basis":"Devine, height 168 cm"' in version.signature.content


@pytest.mark.parametrize("left_out", ["dosing_weight_kg", "dosing_weight_basis", "dosing_weight_on"])
def test_a_weight_to_dose_on_is_typed_whole(client, begun, patient, left_out):
    address, data = begun
    refused = client.post(address, data=data | DOSING | {left_out: "", "act": "keep"})
    assert refused.status_code == 422
    assert "or none of the three" in refused.text
    assert not queries.courses_of(patient.id)


def test_a_kept_draft_is_signed_on_its_own_page(client, begun, patient):
    address, data = begun
    kept = client.post(address, data=data | {"act": "keep"})
    assert kept.status_code == 303
    (course,) = queries.courses_of(patient.id)
    assert course.status is CourseStatus.DRAFT
    assert client.get(kept.location).status_code == 200
    assert client.post(f"{kept.location}/sign", data=signing(client, kept.location)).status_code == 303
    assert course.status is CourseStatus.ACTIVE
    assert "Content unchanged" in client.get(kept.location).text


def test_an_order_is_signed_at_once(client, begun, patient):
    address, data = begun
    signed = client.post(address, data=data | {"act": "sign", "password": PASSWORD})
    assert signed.status_code == 303
    (course,) = queries.courses_of(patient.id)
    assert course.order.current.status is OrderStatus.ACTIVE


def test_a_wrong_password_leaves_no_course_and_keeps_what_was_typed(client, begun, patient):
    address, data = begun
    refused = client.post(address, data=data | {"act": "sign", "password": "guess", "goal": "Type again"})
    assert refused.status_code == 422
    assert "This is not your password" in refused.text
    assert "Type again" in refused.text
    assert queries.courses_of(patient.id) == []


def test_a_wrong_password_is_counted(client, begun):
    address, data = begun
    client.post(address, data=data | {"act": "sign", "password": "guess"})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginFailure)) == 1
    refused = sa.select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNATURE_REFUSED)
    assert db.session.scalar(refused) is not None


def test_beyond_the_protocol_the_page_asks_for_a_reason_and_keeps_it_with_the_order(client, begun, patient):
    address, data = begun
    beyond = data | {"act": "sign", "password": PASSWORD, "maximum_total_mg": "70"}
    refused = client.post(address, data=beyond)
    assert refused.status_code == 422
    assert 'href="#excess_reason"' in refused.text
    assert queries.courses_of(patient.id) == []
    why = {"excess_reason": "Tolerated 65 mg.", "remarked": remarked(refused)}
    assert client.post(address, data=beyond | why).status_code == 303
    (course,) = queries.courses_of(patient.id)
    for page in (f"/courses/{course.id}", f"/courses/{course.id}/orders/1"):
        assert "Tolerated 65 mg." in client.get(page).text
        assert "the protocol&#39;s is 60\u00a0mg" in client.get(page).text


def test_a_reason_for_one_remark_is_none_for_another_that_came_meanwhile(client, begun, patient):
    address, data = begun
    beyond = data | {"act": "sign", "password": PASSWORD, "maximum_total_mg": "70"}
    why = {"excess_reason": "Tolerated 65 mg.", "remarked": remarked(client.post(address, data=beyond))}
    refused = client.post(address, data=beyond | why | {"maximum_total_mg": "75"})
    assert refused.status_code == 422
    assert "not all that you wrote this for" in refused.text
    assert "Tolerated 65 mg." in refused.text
    assert queries.courses_of(patient.id) == []


def test_a_draft_beyond_the_protocol_is_signed_with_its_reason_where_it_is_read(client, begun, patient):
    address, data = begun
    draft = client.post(address, data=data | {"act": "keep", "maximum_total_mg": "70"}).location
    assert client.post(f"{draft}/sign", data=signing(client, draft)).status_code == 422
    signed = client.post(f"{draft}/sign", data=signing(client, draft) | {"excess_reason": "Tolerated 65 mg."})
    assert signed.status_code == 303
    assert "Tolerated 65 mg." in client.get(draft).text


def test_an_order_over_its_maximum_is_not_signed(client, begun, patient):
    address, data = begun
    refused = client.post(address, data=data | {"act": "sign", "password": PASSWORD, "maximum_total_mg": "20"})
    assert refused.status_code == 422
    assert "the session maximum is 20\u00a0mg" in refused.text
    assert queries.courses_of(patient.id) == []


def test_a_weight_taken_meanwhile_is_read_before_signing(client, begun, patient, make_weight):
    address, data = begun
    make_weight(patient, "69.5")
    refused = client.post(address, data=data | {"act": "sign", "password": PASSWORD})
    assert refused.status_code == 422
    assert "was weighed since" in refused.text


def test_a_form_drawn_for_another_patient_is_refused(client, begun, make_patient):
    address, data = begun
    assert client.post(address, data=data | {"act": "keep", "patient_id": make_patient().id}).status_code == 409


@pytest.mark.parametrize("typed", ["nan", "inf", "1e309", "1_000", "１２", "9" * 400])
@pytest.mark.parametrize("name", ["start_amount", "step_every_min", "limit_notify_hr"])
def test_a_number_that_is_none_is_refused_at_its_field(client, begun, name, typed):
    address, data = begun
    refused = client.post(address, data=data | {"act": "sign", "password": PASSWORD, name: typed})
    assert refused.status_code == 422
    assert f'href="#{name}"' in refused.text
