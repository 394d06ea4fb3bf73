"""A version of a protocol goes its way: written, in review, in use, retired; who may do what, and what stays."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from clinic.accounts.models import Clinic
from clinic.accounts.rules import Approver, StaffStatus
from clinic.core import db
from clinic.core.errors import Conflict, RuleBroken
from clinic.core.permissions import Role
from clinic.protocols import operations, operations_review, queries
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.rules import ProtocolStatus
from clinic.protocols.terms import draft_of
from clinic.signatures import queries as signatures
from clinic.signatures.rules import Meaning, seen_code
from tests.factories.accounts import PASSWORD
from tests.factories.protocols import WRITTEN
from tests.protocols.filled import filled

DRAFT, REVIEW, ACTIVE, RETIRED = ProtocolStatus
LATER = WRITTEN + timedelta(hours=1)


def submit(version, by):
    operations_review.submit(version, by=by, at=LATER)


def send_back(version, by):
    operations_review.send_back(version, reason="The limits are missing.", by=by, at=LATER)


def approve(version, by):
    operations_review.approve(version, by=by, password=PASSWORD, at=LATER)


def retire(version, by):
    operations_review.retire(version, reason="Nobody uses it.", by=by, at=LATER)


def write(version, by):
    operations.revise(version, draft_of(version.terms), by=by, at=LATER)


WAYS = {DRAFT: (), REVIEW: (submit,), ACTIVE: (submit, approve), RETIRED: (submit, approve, retire)}
TABLE = [
    *((DRAFT, act, then) for act, then in ((write, DRAFT), (submit, REVIEW), (retire, RETIRED))),
    *((DRAFT, act, None) for act in (send_back, approve)),
    *((REVIEW, act, then) for act, then in ((send_back, DRAFT), (approve, ACTIVE), (retire, RETIRED))),
    *((REVIEW, act, None) for act in (write, submit)),
    (ACTIVE, retire, RETIRED),
    *((ACTIVE, act, None) for act in (write, submit, send_back, approve)),
    *((RETIRED, act, None) for act in (write, submit, send_back, approve, retire)),
]


@pytest.fixture
def make_version(make_protocol_version, signing_physician):
    """Makes a version that stands in a state."""

    def make(status):
        version = make_protocol_version(approve=False)
        for act in WAYS[status]:
            act(version, signing_physician)
        return version

    return make


@pytest.fixture
def colleague(make_staff):
    return make_staff(Role.PHYSICIAN, family_name="Benedek", password=PASSWORD)


@pytest.mark.parametrize(("status", "act", "then"), TABLE)
def test_the_state_table(make_version, signing_physician, status, act, then):
    version = make_version(status)
    if then is None:
        with pytest.raises(RuleBroken):
            act(version, signing_physician)
    else:
        act(version, signing_physician)
    assert version.status is (then or status)


def test_every_step_keeps_who_when_and_why(make_version, colleague, signing_physician):
    version = make_version(REVIEW)
    send_back(version, colleague)
    db.session.expire_all()
    assert [(step.to_status, step.recorded_by, step.reason) for step in version.steps] == [
        (DRAFT, signing_physician, None),
        (REVIEW, signing_physician, None),
        (DRAFT, colleague, "The limits are missing."),
    ]


@pytest.mark.parametrize("act", [operations_review.send_back, operations_review.retire])
def test_sending_back_and_retiring_need_a_reason(make_version, signing_physician, act):
    with pytest.raises(RuleBroken, match="Say why"):
        act(make_version(REVIEW), reason=" ", by=signing_physician, at=LATER)


def test_an_author_approves_alone_where_the_clinic_allows_it(make_version, colleague):
    db.session.get_one(Clinic, db.current_clinic_id()).protocol_approver = Approver.ANY
    version = make_version(ACTIVE)
    assert signatures.signatures_of(version.id)[0].meaning is Meaning.AUTHOR


def test_the_only_physician_approves_alone_until_the_clinic_decides(clinic, signing_physician, colleague):
    clinic.protocol_approver = None
    db.session.flush()
    assert queries.wants_another(clinic.id)
    colleague.status = StaffStatus.DISABLED
    db.session.flush()
    assert not queries.wants_another(clinic.id)


@pytest.mark.parametrize("decided", [None, Approver.ANOTHER])
def test_another_physician_approves_unless_the_clinic_decided_otherwise(
    make_version, colleague, signing_physician, decided
):
    db.session.get_one(Clinic, db.current_clinic_id()).protocol_approver = decided
    version = make_version(REVIEW)
    with pytest.raises(RuleBroken, match="another physician"):
        approve(version, signing_physician)
    approve(version, colleague)
    assert signatures.signatures_of(version.id)[0].meaning is Meaning.REVIEWED


def test_whoever_wrote_a_word_of_it_is_its_author(make_version, colleague):
    db.session.get_one(Clinic, db.current_clinic_id()).protocol_approver = Approver.ANOTHER
    version = make_version(DRAFT)
    write(version, colleague)
    submit(version, colleague)
    with pytest.raises(RuleBroken, match="another physician"):
        approve(version, colleague)


def test_what_is_signed_is_what_was_seen(make_version, make_draft, signing_physician):
    version = make_version(REVIEW)
    seen = seen_code(operations_review.version_content(version))
    send_back(version, signing_physician)
    operations.revise(version, make_draft(duration_min=90), by=signing_physician, at=LATER)
    submit(version, signing_physician)
    with pytest.raises(Conflict, match="not what you read"):
        operations_review.approve(version, by=signing_physician, password=PASSWORD, at=LATER, seen=seen)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE protocol_version SET status = 'draft' WHERE status = 'active'",
        "UPDATE protocol_version SET status = 'review' WHERE status = 'active'",
        "UPDATE protocol_version SET terms_id = id",
        "UPDATE terms SET maximum_total_mg = NULL",
        "DELETE FROM check_item",
        "UPDATE protocol_step SET reason = 'another'",
        "DELETE FROM protocol_step",
        "DELETE FROM protocol_version",
    ],
)
def test_the_database_keeps_a_version_in_use(make_version, statement):
    make_version(ACTIVE)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(sa.text(statement))


def test_the_database_keeps_a_retired_version_retired(make_version):
    version = make_version(RETIRED)
    back = sa.update(ProtocolVersion).where(ProtocolVersion.id == version.id).values(status=ACTIVE)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(back)


def test_the_database_lets_one_version_of_a_protocol_be_in_use(make_version, signing_physician):
    version = make_version(ACTIVE)
    second = operations.new_version(version.protocol, draft_of(version.terms), by=signing_physician, at=LATER)
    with pytest.raises(DatabaseError), db.session.begin_nested():
        db.session.execute(sa.update(ProtocolVersion).where(ProtocolVersion.id == second.id).values(status=ACTIVE))


# --- on the pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_screen(client, colleague):
    client.sign_in(colleague)
    return client


def page_of(version):
    return f"/protocols/{version.protocol_id}/versions/{version.number}"


def test_a_colleague_sends_it_back_and_the_author_reads_why(at_screen, make_version):
    version = make_version(REVIEW)
    assert at_screen.post(f"{page_of(version)}/send-back", data={"reason": ""}).status_code == 422
    sent = at_screen.post(f"{page_of(version)}/send-back", data={"reason": "Which sedation scale?"})
    assert sent.status_code == 303
    assert "Which sedation scale?" in at_screen.get(page_of(version)).text
    assert version.status is DRAFT


def test_a_version_is_retired_with_its_reason_and_its_courses_keep_it(at_screen, make_course):
    version = make_course().protocol_version
    assert "1 active" in at_screen.get(page_of(version)).text
    retired = at_screen.post(f"{page_of(version)}/retire", data={"reason": "The vial is not sold any more."})
    assert retired.status_code == 303
    page = at_screen.get(page_of(version)).text
    assert "The vial is not sold any more." in page
    assert "They keep this version." in page
    assert queries.versions_in_use() == []


def test_an_author_is_told_that_another_one_signs(client, make_version, signing_physician):
    db.session.get_one(Clinic, db.current_clinic_id()).protocol_approver = Approver.ANOTHER
    client.sign_in(signing_physician)
    page = client.get(page_of(make_version(REVIEW))).text
    assert "another physician signs it into use" in page
    assert "Sign and put in use" not in page


def test_a_signature_over_another_text_is_a_conflict(at_screen, make_version):
    version = make_version(REVIEW)
    answer = at_screen.post(f"{page_of(version)}/approve", data={"password": PASSWORD, "seen": "0" * 64})
    assert answer.status_code == 409
    assert f'href="{page_of(version)}"' in answer.text
    assert version.status is REVIEW


def test_two_people_who_write_one_draft_see_both(at_screen, make_version, make_draft, signing_physician):
    version = make_version(DRAFT)
    drawn = version.version
    operations.revise(version, make_draft(duration_min=90), by=signing_physician, at=LATER)
    mine = {"act": "save", "version": drawn, **filled(make_draft(duration_min=60))}
    answer = at_screen.post(f"{page_of(version)}/draft", data=mine)
    assert answer.status_code == 409
    assert f"{signing_physician.name} wrote this draft at" in answer.text
    assert "90\u00a0min" in answer.text
    assert "<b>60\u00a0min</b>" in answer.text
    again = at_screen.post(f"{page_of(version)}/draft", data=mine | {"version": version.version})
    assert again.status_code == 303
    assert version.terms.duration_min == 60
