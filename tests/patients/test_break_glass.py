"""A restricted chart: open to its team, to others for an hour with a reason, and each opening is seen by another."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.patients import restricting
from clinic.patients.models import ChartOpening, OpeningReview
from clinic.patients.restricting_rules import OPEN_FOR, REVIEW_WITHIN, OpeningKind
from tests.factories.accounts import PASSWORD

REASON = "chest pain at the chair"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def patient(make_patient, physician, second_nurse, frozen_clock):
    """Somebody known, whose chart is left to one nurse and one physician."""
    found = make_patient(family_name="Zephyr")
    with db.unit_of_work():
        restricting.restrict(found, [physician.id, second_nurse.id], "a colleague", by=physician, at=frozen_clock)
    return found


@pytest.fixture
def chart(patient):
    return f"/patients/{patient.id}"


@pytest.fixture
def outsider(make_staff):
    """A nurse who is not on the team."""
    return make_staff(Role.NURSE, given_name="Olga", family_name="Outer", password=PASSWORD)


@pytest.fixture
def opened(patient, outsider, frozen_clock):
    with db.unit_of_work():
        return restricting.open_chart(patient, OpeningKind.EMERGENCY, REASON, by=outsider, at=frozen_clock)


def asked(**values):
    return {"kind": "emergency", "reason": REASON, "password": PASSWORD, **values}


def trail(action):
    return list(db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == action)))


# --- restricted ------------------------------------------------------------------------------------------------------


def test_the_team_opens_the_chart_and_others_do_not(client, chart, outsider, second_nurse):
    client.sign_in(second_nurse)
    assert client.get(chart).status_code == 200
    client.sign_in(outsider)
    for page in ("", "/medicines", "/allergies", "/screening", "/consents", "/documents", "/weights"):
        answer = client.get(f"{chart}{page}")
        assert answer.status_code == 403
        assert "Zephyr" not in answer.text
    assert trail(AuditAction.ACCESS_DENIED)


def test_nobody_outside_writes_into_it(client, patient, chart, outsider):
    client.sign_in(outsider)
    sent = {"patient_id": str(patient.id), "substance": "penicillin", "kind": "drug", "problem": "pain"}
    for act in ("allergies", "problem"):
        assert client.post(f"{chart}/{act}", data=sent).status_code == 403
    assert not trail(AuditAction.ALLERGY_RECORDED)


def test_every_page_about_the_sessions_of_a_restricted_chart_is_closed(client, make_infusion, physician, outsider):
    infusion = make_infusion()
    with db.unit_of_work():
        restricting.restrict(infusion.patient, [physician.id], "a colleague", by=physician, at=clock.now())
    client.sign_in(outsider)
    for page in ("", "/vitals", "/note"):
        assert client.get(f"/sessions/{infusion.id}{page}").status_code == 403
    assert client.get(f"/courses/{infusion.course.id}").status_code == 403
    assert client.post(f"/sessions/{infusion.id}/vitals", data={"line": "120/80"}).status_code == 403


def test_the_desk_books_and_reads_nothing(client, chart, scheduler):
    client.sign_in(scheduler)
    assert client.get(chart).status_code == 403
    assert "Break the glass" not in client.get(chart).text
    assert client.get("/patients").status_code == 200


def test_a_physician_restricts_and_opens_again(client, make_patient, physician, outsider):
    found = make_patient()
    place = f"/patients/{found.id}"
    client.sign_in(physician)
    keys = {"patient_id": str(found.id), "reason": "works here"}
    assert client.post(f"{place}/restriction", data=keys).status_code == 422
    assert client.post(f"{place}/restriction", data={**keys, "team": [str(physician.id)]}).status_code == 303
    assert restricting.closed_to(outsider.id, at=clock.now()) == {found.id}
    assert "works here" not in client.get(place).text
    assert client.post(f"{place}/restriction/lift", data=keys).status_code == 303
    assert restricting.closed_to(outsider.id, at=clock.now()) == frozenset()


# --- broken ----------------------------------------------------------------------------------------------------------


def test_the_glass_asks_for_a_reason_and_the_password(client, chart, patient, outsider, frozen_clock):
    client.sign_in(outsider)
    place = f"{chart}/break-glass"
    assert "Restricted chart" in client.get(place).text
    keys = {"patient_id": str(patient.id)}
    for wrong in ({"reason": "short"}, {"password": "not the password at all"}, {"password": "804735"}, {"kind": ""}):
        assert client.post(place, data={**asked(**wrong), **keys}).status_code == 422
    assert client.get(chart).status_code == 403
    assert client.post(place, data={**asked(), **keys}).location == chart
    page = client.get(chart)
    assert page.status_code == 200
    assert "until" in page.text
    assert "a restricted chart is open to you" in client.get("/account").text


def test_it_opens_one_chart(opened, make_patient, outsider, physician):
    other = make_patient()
    restricting.restrict(other, [physician.id], "a colleague", by=physician, at=clock.now())
    assert restricting.closed_to(outsider.id, at=clock.now()) == {other.id}


def test_it_opens_it_for_one_person(client, chart, opened, make_staff):
    client.sign_in(make_staff(Role.NURSE))
    assert client.get(chart).status_code == 403


def test_it_opens_it_for_one_hour(client, chart, opened, outsider, frozen_clock):
    with clock.standing_at(frozen_clock + OPEN_FOR - MINUTE):
        client.sign_in(outsider)
        assert client.get(chart).status_code == 200
    with clock.standing_at(frozen_clock + OPEN_FOR):
        client.sign_in(outsider)
        assert client.get(chart, headers={"X-Background": "1"}).status_code == 403
        assert client.get(chart).status_code == 403
        assert "open to you" not in client.get("/account").text


def test_its_user_closes_it_before(client, chart, opened, outsider, second_nurse):
    client.sign_in(second_nurse)
    assert client.post(f"/break-glass/{opened.id}/end").status_code == 404
    client.sign_in(outsider)
    assert client.post(f"/break-glass/{opened.id}/end").status_code == 303
    assert client.get(chart).status_code == 403


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SCHEDULER])
def test_admin_and_desk_break_no_glass(client, chart, patient, make_staff, role):
    client.sign_in(make_staff(role, password=PASSWORD))
    assert client.post(f"{chart}/break-glass", data={**asked(), "patient_id": str(patient.id)}).status_code == 403
    assert client.get("/break-glass").status_code == 403


def test_a_chart_that_is_open_anyway_has_no_glass(client, make_patient, chart, outsider, second_nurse):
    client.sign_in(outsider)
    assert client.get(f"/patients/{make_patient().id}/break-glass").status_code == 404
    client.sign_in(second_nurse)
    assert client.get(f"{chart}/break-glass").status_code == 404


def test_an_admin_learns_who_and_when_and_nothing_of_the_chart(client, opened, admin, outsider, patient):
    client.sign_in(admin)
    page = client.get("/audit").text
    assert "broke the glass" in page
    assert outsider.name in page
    for word in (REASON, "Zephyr", str(patient.id)):
        assert word not in page
        assert word not in client.get("/audit/export").text


def test_who_opened_it_stands_in_the_patients_report_with_the_reason(opened, patient):
    entry = trail(AuditAction.CHART_OPENED)[0]
    assert entry.patient_id == patient.id
    assert REASON in entry.body


def test_a_stranger_finds_none_of_it(refuses_strangers, chart, opened):
    refuses_strangers(f"{chart}/restriction")
    refuses_strangers(f"{chart}/break-glass")
    refuses_strangers(f"/break-glass/{opened.id}/end", method="POST")
    refuses_strangers(f"/break-glass/{opened.id}/review", method="POST", data={"verdict": "yes", "note": "x"})


# --- looked at -------------------------------------------------------------------------------------------------------


def test_another_physician_looks_at_it_once(client, opened, physician, frozen_clock):
    client.sign_in(physician)
    assert "to be looked at" in client.get("/account").text
    with clock.standing_at(frozen_clock + REVIEW_WITHIN + MINUTE):
        client.sign_in(physician)
        page = client.get("/break-glass").text
    assert REASON in page
    assert "overdue" in page
    client.sign_in(physician)
    place = f"/break-glass/{opened.id}/review"
    assert client.post(place, data={"verdict": "yes", "note": ""}).status_code == 422
    assert client.post(place, data={"verdict": "yes", "note": "asked the ward"}).status_code == 303
    assert client.post(place, data={"verdict": "no", "note": "once more"}).status_code == 422
    assert restricting.unreviewed() == []
    assert trail(AuditAction.OPENING_REVIEWED)


def test_nobody_looks_at_the_own_opening(client, patient, make_staff, frozen_clock):
    lone = make_staff(Role.PHYSICIAN, password=PASSWORD)
    opening = restricting.open_chart(patient, OpeningKind.COVER, REASON, by=lone, at=frozen_clock)
    with pytest.raises(RuleBroken, match="somebody else"):
        restricting.review(opening, is_in_order=True, note="fine", by=lone, at=frozen_clock)
    client.sign_in(lone)
    assert "You opened it" in client.get("/break-glass").text
    assert client.post(f"/break-glass/{opening.id}/review", data={"verdict": "yes", "note": "x"}).status_code == 422


@pytest.mark.parametrize("named", ["outsider", "physician"])
def test_the_database_refuses_a_review_of_the_own_opening(opened, outsider, physician, named, frozen_clock):
    forged = OpeningReview(
        opening_id=opened.id,
        opened_by_id={"outsider": outsider, "physician": physician}[named].id,
        is_in_order=True,
        note="fine",
        recorded_at=frozen_clock,
        recorded_by_id=outsider.id,
    )
    db.session.add(forged)
    with pytest.raises(IntegrityError):
        db.session.flush()


@pytest.mark.parametrize("values", [{"until_at": clock.now() + timedelta(days=30)}, {"reason": "another reason"}])
def test_the_database_keeps_an_opening_as_it_was(opened, values):
    with pytest.raises(IntegrityError, match="opening_stays_as_it_was"), db.session.begin_nested():
        db.session.execute(sa.update(ChartOpening).values(values))


def test_an_auditor_looks_at_it_by_the_records_number_alone(client, opened, patient, make_staff):
    client.sign_in(make_staff(Role.AUDITOR))
    page = client.get("/break-glass").text
    assert f"MRN {patient.mrn}" in page
    assert "Zephyr" not in page
    sent = {"verdict": "yes", "note": "called the nurse"}
    answer = client.post(f"/break-glass/{opened.id}/review", data=sent, follow_redirects=True)
    assert "Zephyr" not in answer.text
    assert restricting.unreviewed() == []
