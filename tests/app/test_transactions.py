import pytest
import sqlalchemy as sa

from clinic.accounts.models import Site
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db


def was_saved():
    with db.unit_of_work():
        return db.session.scalar(sa.select(Site.id).where(Site.name == "new site")) is not None


def lines(action):
    with db.unit_of_work():
        return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == action))


@pytest.mark.parametrize("answer", ["200", "303"])
def test_an_answer_below_400_commits(committed_db, nurse_browser, answer):
    assert nurse_browser.post("/trial/save", data={"answer": answer}).status_code == int(answer)
    assert was_saved()


@pytest.mark.parametrize(
    ("answer", "status"),
    [("400", 400), ("404", 404), ("422", 422), ("rule", 422), ("conflict", 409), ("crash", 500), ("503", 503)],
)
def test_every_other_answer_rolls_back(committed_db, nurse_browser, answer, status):
    assert nurse_browser.post("/trial/save", data={"answer": answer}).status_code == status
    assert not was_saved()
    assert not lines(AuditAction.CLINIC_SETTINGS_CHANGED)


@pytest.mark.parametrize("answer", ["303", "422", "crash"])
def test_what_must_be_counted_is_counted_either_way(committed_db, nurse_browser, answer):
    nurse_browser.post("/trial/save", data={"answer": answer})
    assert lines(AuditAction.LOCKED) == 1


def test_a_rule_without_a_place_on_the_page_is_shown_anyway(nurse_browser):
    response = nurse_browser.post("/trial/save", data={"answer": "rule"})
    assert "The rule says no." in response.text


def test_a_conflict_shows_both_versions(nurse_browser):
    text = nurse_browser.post("/trial/save", data={"answer": "conflict"}).text
    assert "mine" in text
    assert "theirs" in text


def test_a_change_without_its_line_in_the_trail_is_not_saved(committed_db, nurse_browser):
    """The trail refuses every line, as it would on a full disk."""
    with db.unit_of_work():
        if db.engine().dialect.name == "sqlite":
            refusal = "BEGIN SELECT RAISE(ABORT, 'full'); END"
            db.session.execute(sa.text(f"CREATE TRIGGER full BEFORE INSERT ON audit_entry {refusal}"))
        else:
            refusal = "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            db.session.execute(sa.text(f'CREATE TRIGGER "full" BEFORE INSERT ON audit_entry {refusal}'))
    assert nurse_browser.post("/trial/save").status_code == 500
    assert not was_saved()


def test_a_line_that_cannot_be_written_takes_the_change_with_it(committed_db, nurse_browser):
    assert nurse_browser.post("/trial/save", data={"answer": "float"}).status_code == 500
    assert not was_saved()


def test_a_denial_is_written_although_nothing_else_is(committed_db, nurse_browser):
    assert nurse_browser.get("/staff").status_code == 403
    assert lines(AuditAction.ACCESS_DENIED) == 1
