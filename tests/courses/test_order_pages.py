"""The physician's path: patient, new course from a protocol, order, sign; then adjust."""

import re
from datetime import datetime
from decimal import Decimal
from html import unescape

import pytest
import sqlalchemy as sa

from clinic.accounts.models import LoginFailure
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.courses import operations, queries
from clinic.courses.rules import CourseDecision, CourseStatus
from clinic.orders.models import AcknowledgedExcess
from clinic.orders.rules import OrderStatus
from clinic.protocols.terms import draft_of
from tests.factories.accounts import PASSWORD
from tests.protocols.filled import filled


@pytest.fixture
def patient(frozen_clock, make_patient, make_weight):
    made = make_patient(allergies=(), problem="Neuropathic pain")
    make_weight(made)
    return made


@pytest.fixture
def begun(client, signing_physician, patient, make_protocol_version, make_weight):
    """The page of a new course: its address and what a browser would send from it."""
    version = make_protocol_version()
    weight = patient_weight(patient)
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


def patient_weight(patient):
    from clinic.patients import queries as patients  # noqa: PLC0415 beside its one use

    return patients.last_weight(patient.id)


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


DOSING = {
    "weight_rule": "ideal",
    "dosing_weight_kg": "61.5",
    "dosing_weight_basis": "Devine, height 168 cm",
    "dosing_weight_on": "17-Nov-2025",
}


def test_the_weight_to_dose_on_is_typed_with_its_basis_and_signed(client, begun, patient):
    address, data = begun
    page = client.post(address, data=data | DOSING | {"act": "read"}).text
    assert "61.5\u00a0kg, ideal weight: Devine, height 168 cm, 17-Nov-2025; on the scale 68\u00a0kg" in page
    assert "12.3\u00a0mg/h" in page  # 0.2 mg per kg per hour
    client.post(address, data=data | DOSING | {"act": "sign", "password": PASSWORD, "excess_reason": "Discussed."})
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


def signing(client, address):
    """What the page of a draft sends when its reader signs."""
    page = client.get(address).text
    form = page[page.index(f'action="{address}/sign"') :]
    names = ("patient_id", "version", "seen")
    found = {name: re.search(f'name="{name}" value="([^"]*)"', form)[1] for name in names}
    return found | {"password": PASSWORD}


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
    assert client.post(address, data=beyond | {"excess_reason": "Tolerated 65 mg."}).status_code == 303
    (course,) = queries.courses_of(patient.id)
    for page in (f"/courses/{course.id}", f"/courses/{course.id}/orders/1"):
        assert "Tolerated 65 mg." in client.get(page).text
        assert "the protocol&#39;s is 60\u00a0mg" in client.get(page).text


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


# --- adjusting -------------------------------------------------------------------------------------------------------


@pytest.fixture
def course(client, signing_physician, patient, make_course):
    made = make_course(patient, weight=patient_weight(patient))
    client.sign_in(signing_physician)
    return made


def adjusted(course, **changed):
    draft = draft_of(course.order.versions[0].terms)
    weight = course.order.versions[0].weight_id
    return filled(draft) | {"patient_id": course.patient_id, "weight_id": weight, "change_reason": "Nausea."} | changed


def test_the_next_version_marks_what_was(client, course):
    address = f"/courses/{course.id}/orders/new"
    assert client.get(address).status_code == 200
    page = client.post(address, data=adjusted(course, act="read", highest_amount="0.3"))
    assert "was 0.35" in page.text


def test_a_signed_next_version_supersedes(client, course):
    data = adjusted(course, act="sign", password=PASSWORD, highest_amount="0.3")
    signed = client.post(f"/courses/{course.id}/orders/new", data=data)
    assert signed.status_code == 303
    page = client.get(signed.location).text
    assert "<del>0.35\u00a0mg per kg per hour</del>" in page
    assert "Superseded" in page
    assert "Superseded by a later version" in client.get(f"/courses/{course.id}/orders/1").text


def test_the_page_says_what_became_of_an_order_and_why(client, course, signing_physician):
    operations.review(course, CourseDecision.HOLD, "Pressure 190.", by=signing_physician, at=clock.now())
    page = client.get(f"/courses/{course.id}/orders/1").text
    assert "On hold: no infusion starts under it" in page
    assert "Pressure 190." in page
    assert signing_physician.name in page


def test_the_signature_of_a_superseded_order_says_so(client, course):
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="sign", password=PASSWORD))
    page = client.get(f"/courses/{course.id}/orders/1").text
    assert "Superseded by a later version." in page.split("Check code")[0].split("Signed by")[1]


def test_a_row_put_beside_a_signed_order_shows_as_changed_content(client, course, signing_physician):
    forged = AcknowledgedExcess(
        order_version_id=course.order.versions[0].id,
        position=9,
        code="forged",
        message="Forged.",
        facts={},
        reason="Forged.",
        recorded_at=clock.now(),
        recorded_by_id=signing_physician.id,
    )
    with db.unit_of_work():
        db.session.add(forged)
    db.session.expire_all()
    assert "The content has changed since it was signed." in client.get(f"/courses/{course.id}/orders/1").text


def test_a_change_needs_its_reason(client, course):
    refused = client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep", change_reason=""))
    assert refused.status_code == 422
    assert "Say why the order changes" in refused.text


@pytest.fixture
def two_drafts(client, course, make_staff):
    """Draft 2 as one physician read it, and as another has written it since."""
    address = f"/courses/{course.id}/orders/2"
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    assert client.get(f"{address}/draft").status_code == 200
    saved = client.post(f"{address}/draft", data=adjusted(course, act="keep", version=1, highest_amount="0.3"))
    assert saved.status_code == 303
    return address


def test_a_draft_written_by_somebody_else_meanwhile_shows_both_versions(client, course, two_drafts):
    late = client.post(f"{two_drafts}/draft", data=adjusted(course, act="sign", version=1, start_amount="0.15"))
    assert late.status_code == 409
    assert "start 0.15\u00a0mg per kg per hour" in late.text
    assert "<td>0.2\u00a0mg per kg per hour</td>" in late.text
    assert "<td>0.3\u00a0mg per kg per hour</td>" in late.text
    assert course.order.draft.terms.start_amount == Decimal("0.2")


def test_what_was_typed_can_be_kept_over_the_saved_version(client, course, two_drafts):
    late = client.post(f"{two_drafts}/draft", data=adjusted(course, act="sign", version=1, start_amount="0.15"))
    assert client.post(f"{two_drafts}/draft", data=sent_again(late.text)).status_code == 303
    assert course.order.draft.terms.start_amount == Decimal("0.15")
    assert course.order.current.number == 1


def sent_again(page):
    """What the button of a conflict page sends."""
    form = page[page.index('<form method="post" action="/courses/') :]
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)
        if name not in {"csrf_token", "idempotency_key"}
    }


@pytest.fixture
def read_before(client, course):
    """Draft 2: its address, and what the page of its reader sends after it was written again."""
    address = f"/courses/{course.id}/orders/2"
    client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    read = signing(client, address)
    client.post(f"{address}/draft", data=adjusted(course, act="keep", version=1, highest_amount="0.3"))
    return address, read


def test_who_signs_what_was_written_again_sees_what_was_read_beside_it(client, course, read_before):
    address, read = read_before
    late = client.post(f"{address}/sign", data=read)
    assert late.status_code == 409
    assert "As you read it" in late.text
    assert "<td>0.3\u00a0mg per kg per hour</td><td><b>0.35\u00a0mg per kg per hour</b></td>" in late.text
    assert f'href="{address}"' in late.text
    assert course.order.current.number == 1


def test_what_was_read_again_is_signed(client, course, read_before):
    address, _ = read_before
    assert client.post(f"{address}/sign", data=signing(client, address)).status_code == 303
    assert course.order.current.terms.highest_amount == Decimal("0.3")


@pytest.mark.parametrize("forged", [{"seen": ""}, {"seen": None}, {"seen": "0" * 64, "version": "2"}])
def test_a_post_that_saw_nothing_signs_nothing(client, course, read_before, forged):
    address, _ = read_before
    data = {name: value for name, value in (signing(client, address) | forged).items() if value is not None}
    assert client.post(f"{address}/sign", data=data).status_code == 409
    assert course.order.current.number == 1


def test_a_signature_that_was_sent_before_signs_no_later_draft(client, course):
    """Two tabs: the form of draft 2 is sent again to draft 3."""
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    old = signing(client, f"{address}/2")
    assert client.post(f"{address}/2/sign", data=old).status_code == 303
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    assert client.post(f"{address}/3/sign", data=old).status_code == 409
    assert course.order.current.number == 2


def test_an_order_adjusted_over_a_newer_one_shows_both_versions(client, course):
    first = course.order.versions[0].id
    address = f"/courses/{course.id}/orders"
    signed = client.post(f"{address}/new", data=adjusted(course, act="sign", password=PASSWORD, highest_amount="0.3"))
    assert signed.status_code == 303
    late = client.post(f"{address}/new", data=adjusted(course, act="keep", before_id=first, start_amount="0.15"))
    assert late.status_code == 409
    assert "Order 2 was signed by" in late.text
    assert client.post(f"{address}/new", data=sent_again(late.text)).status_code == 303
    assert course.order.draft.number == 3


def test_a_second_adjustment_beside_an_open_draft_shows_both_versions(client, course):
    address = f"/courses/{course.id}/orders/new"
    client.post(address, data=adjusted(course, act="keep"))
    late = client.post(address, data=adjusted(course, act="keep", start_amount="0.15"))
    assert late.status_code == 409
    assert "Order 2 was written by" in late.text


def test_an_order_over_an_ended_course_is_a_conflict(client, course, signing_physician):
    operations.review(course, CourseDecision.DISCONTINUE, "Enough.", by=signing_physician, at=clock.now())
    late = client.post(f"/courses/{course.id}/orders/new", data=adjusted(course, act="keep"))
    assert late.status_code == 409
    assert "no order of it is in force" in late.text
    assert client.get(f"/courses/{course.id}/orders/new").location == f"/courses/{course.id}"


def test_a_dropped_draft_leaves_the_order_in_force(client, course, patient):
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    dropped = client.post(f"{address}/2/cancel", data={"reason": "Not needed.", "patient_id": patient.id})
    assert dropped.status_code == 303
    assert course.order.current.number == 1


def test_a_draft_is_not_dropped_without_a_reason(client, course, patient):
    address = f"/courses/{course.id}/orders"
    client.post(f"{address}/new", data=adjusted(course, act="keep"))
    refused = client.post(f"{address}/2/cancel", data={"reason": "", "patient_id": patient.id})
    assert refused.status_code == 422
    assert 'href="#reason"' in refused.text
    assert course.order.draft is not None


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
