"""Paper that leaves the clinic: its code, its pages, its lines in the trail, and the check when it comes back."""

import json
import re

import pytest
import sqlalchemy as sa

from clinic.accounts.queries import first_clinic_id
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db, pdf
from tests.factories.sessions import minute


def code_on(page):
    return re.search(r"record ((?:[0-9a-f]{4} ?){3})", page).group(1).strip()


def printed(client, infusion):
    return client.get(f"/sessions/{infusion.id}/print").get_data(as_text=True)


def checked(client, code):
    return client.get("/prints", query_string={"code": code}).get_data(as_text=True)


def test_the_code_of_a_print_is_unchanged_until_an_entry_comes(nurses_browser, make_running, observe):
    infusion = make_running()
    code = code_on(printed(nurses_browser, infusion))
    assert "Unchanged since that print." in checked(nurses_browser, code)
    observe(infusion, minute(5), hr=71)
    shown = checked(nurses_browser, code.upper().replace(" ", ""))
    assert "Changed since that print." in shown
    assert "by N. Quill" in shown


@pytest.mark.parametrize("code", ["51d8 0c2e 9f3a", "51d8", "%", "zzz", '"', "f" * 64])
def test_a_code_that_no_print_has_is_unknown(nurses_browser, make_running, code):
    printed(nurses_browser, make_running())
    assert "Unknown code." in checked(nurses_browser, code)


def test_a_part_of_a_code_is_no_code(nurses_browser, make_running):
    code = code_on(printed(nurses_browser, make_running()))
    assert "Unknown code." in checked(nurses_browser, code[:9])


@pytest.mark.parametrize(("is_named", "said"), [(True, "Unchanged since"), (False, "Changed since")])
def test_a_code_of_an_older_secret_holds_while_that_is_named(
    app, nurses_browser, nurse, *, make_running, monkeypatch, is_named, said
):
    code = code_on(printed(nurses_browser, make_running()))
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]] if is_named else None)
    monkeypatch.setitem(app.config, "SECRET_KEY", "another-secret-another-secret-another-secret")
    nurses_browser.sign_in(nurse)
    assert said in checked(nurses_browser, code)


def test_another_clinic_does_not_know_the_code(client, nurses_browser, make_running, stranger):
    code = code_on(printed(nurses_browser, make_running()))
    client.sign_in(stranger, first_clinic_id(stranger.id))
    assert "Unknown code." in checked(client, code)


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_pdf_is_made_or_refused_in_plain_words(nurses_browser, make_running, observe, paper):
    infusion = make_running()
    observe(infusion, minute(5), sbp=171, dbp=88)
    answer = nurses_browser.get(f"/sessions/{infusion.id}/print?form={paper}")
    if not pdf.can_be_made():
        assert answer.status_code == 422
        assert "This server makes no PDF: print from the browser." in answer.get_data(as_text=True)
        return
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"%PDF")


def test_each_print_has_a_line_of_its_own_with_code_and_form(nurses_browser, make_running):
    infusion = make_running()
    codes = [code_on(printed(nurses_browser, infusion)) for _ in range(2)]
    bodies = db.session.scalars(sa.select(AuditEntry.body).where(AuditEntry.action == AuditAction.SESSION_PRINTED))
    pages = [json.loads(body)["page"] for body in bodies]
    assert pages == [{"page": "record", "form": "page", "code": codes[0].replace(" ", "")}] * 2
