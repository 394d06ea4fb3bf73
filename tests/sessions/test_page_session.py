"""The flowsheet page: what it shows of a session, how it keeps itself fresh, what it costs."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.accounts.queries import first_clinic_id
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import db
from clinic.core.permissions import Role
from clinic.sessions import operations
from clinic.sessions.event_rules import SessionEventKind
from clinic.sessions.pages_log import NEWEST
from tests.factories.sessions import minute


def page_of(client, infusion, part=""):
    return client.get(f"/sessions/{infusion.id}{part}").get_data(as_text=True)


def test_shows_rate_dose_time_and_who(nurses_browser, make_running):
    shown = page_of(nurses_browser, make_running())
    assert "ketamine 13.6\N{NO-BREAK SPACE}mg/h" in shown
    assert "= 13.6\N{NO-BREAK SPACE}mL/h · 0.2\N{NO-BREAK SPACE}mg/kg/h" in shown
    assert "2.27\N{NO-BREAK SPACE}mg" in shown
    assert "of 60\N{NO-BREAK SPACE}mg" in shown
    assert "N. Quill RN" in shown


def test_the_order_stands_beside_it_with_limits_and_who_set_them(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(5), spo2=91)
    shown = page_of(nurses_browser, infusion)
    assert "Limits set by Dr L. Marsh" in shown
    assert '<tr class="x"><td>SpO2</td><td>at least 92%</td><td>91%</td></tr>' in shown


def test_a_limit_row_is_red_for_the_value_it_shows(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(3), spo2=91)
    observe(infusion, minute(5), hr=70)
    assert '<tr class="x"><td>SpO2</td><td>at least 92%</td><td>91%</td></tr>' in page_of(nurses_browser, infusion)


def test_the_chart_is_drawn_for_three_screens(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(5), sbp=128, dbp=76)
    shown = page_of(nurses_browser, infusion)
    assert all(f'class="chs {screen}"' in shown for screen in ("for-p", "for-t", "for-d"))


def test_every_kind_of_entry_stands_in_the_table(nurses_browser, make_running, nurse):
    infusion = make_running()
    item = infusion.order_version.terms.prn_items[0]
    with db.unit_of_work():
        operations.pause(infusion, happened_at=minute(3), reason="toilet", by=nurse, at=minute(3))
        operations.resume(infusion, happened_at=minute(5), by=nurse, at=minute(5))
        operations.give_prn(infusion, item, given_at=minute(6), by=nurse, at=minute(6))
        operations.record_adverse_event(infusion, "nausea", onset_at=minute(6), grade=1, by=nurse, at=minute(6))
        operations.record_event(
            infusion, SessionEventKind.ROW_NOTE, "Lights dimmed", happened_at=minute(7), by=nurse, at=minute(7)
        )
    shown = page_of(nurses_browser, infusion)
    for words in ("Infusion started", "Paused", "Resumed", "Ondansetron 4", "Nausea, mild", "Lights dimmed"):
        assert words in shown


def test_a_long_table_shows_the_newest_entries_and_leads_to_all(nurses_browser, make_running, observe, at_minute):
    infusion = make_running()
    for number in range(NEWEST + 5):
        observe(infusion, minute(1) + timedelta(seconds=5 * number), hr=100 + number)
    shown, whole = page_of(nurses_browser, infusion), page_of(nurses_browser, infusion, "?all=1")
    counts = [page.split('<div class="log"')[1].split("</table>")[0].count('<td class="t"') for page in (shown, whole)]
    assert counts == [NEWEST, NEWEST + 6]
    assert f"Show all {NEWEST + 6} entries" in shown
    assert "part=record&amp;all=1" in whole
    assert "Show all" not in whole


def test_an_entry_written_long_after_its_time_is_a_late_entry(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(-5), hr=70, at=minute(9))
    assert "late entry" in page_of(nurses_browser, infusion)


def test_recovery_is_the_same_page(client, nurse, make_stopped, at_minute):
    infusion = make_stopped()
    at_minute(70)
    client.sign_in(nurse)
    shown = page_of(client, infusion, "/recovery")
    assert "Recovering since 10:00" in shown
    assert "Discharge" in shown


def test_a_physician_reads_and_finds_no_buttons_that_are_not_for_reading(client, physician, make_running, at_minute):
    infusion = make_running()
    at_minute(10)
    client.sign_in(physician)
    assert client.get(f"/sessions/{infusion.id}").status_code == 200


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.ADMIN])
@pytest.mark.parametrize("part", ["", "/fragment?part=record", "/print", "/checklist", "/discharge", "/rate", "/drug"])
def test_nobody_else_opens_a_session(client, make_running, make_staff, *, at_minute, role, part):
    infusion = make_running()
    at_minute(10)
    client.sign_in(make_staff(role))
    assert client.get(f"/sessions/{infusion.id}{part}").status_code == 403


@pytest.mark.parametrize("part", ["", "/fragment?part=strip", "/vitals", "/print"])
def test_another_clinics_session_is_not_found(client, stranger, make_running, at_minute, part):
    infusion = make_running()
    at_minute(10)
    client.sign_in(stranger, first_clinic_id(stranger.id))
    assert client.get(f"/sessions/{infusion.id}{part}").status_code == 404


@pytest.mark.parametrize("part", ["strip", "record", "due", "side"])
def test_a_fragment_is_not_sent_again_while_nothing_changes(nurses_browser, make_running, observe, part):
    infusion = make_running()
    address = f"/sessions/{infusion.id}/fragment?part={part}"
    first = nurses_browser.get(address)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert nurses_browser.get(address, headers=tag).status_code == 304
    observe(infusion, minute(9), hr=70)
    assert nurses_browser.get(address, headers=tag).status_code == 200


def test_an_unchanged_fragment_costs_a_handful_of_reads(nurses_browser, make_running, count_queries):
    infusion = make_running()
    address = f"/sessions/{infusion.id}/fragment?part=record"
    tag = {"If-None-Match": nurses_browser.get(address).headers["ETag"]}
    with count_queries() as sent:
        nurses_browser.get(address, headers=tag)
    assert len(sent) <= 5


def test_an_unknown_part_is_not_found(nurses_browser, make_running):
    assert nurses_browser.get(f"/sessions/{make_running().id}/fragment?part=all").status_code == 404


@pytest.mark.parametrize("part", ["", "/print", "/vitals"])
def test_a_page_costs_the_same_with_two_sets_of_vitals_and_with_twenty(
    nurses_browser, make_running, observe, *, count_queries, second_nurse, part
):
    infusion = make_running()
    for number in range(2):
        observe(infusion, minute(number), hr=70 + number)
    page_of(nurses_browser, infusion, part)
    with count_queries() as few:
        page_of(nurses_browser, infusion, part)
    for number in range(18):
        observe(infusion, minute(number % 9), hr=90 + number, by=second_nurse, sbp=171, dbp=90)
    with count_queries() as many:
        page_of(nurses_browser, infusion, part)
    assert len(many) == len(few)


def test_reading_is_folded_and_every_print_is_not(nurses_browser, make_running):
    infusion = make_running()
    for _ in range(2):
        page_of(nurses_browser, infusion)
        page_of(nurses_browser, infusion, "/print")

    def lines(action):
        found = sa.select(sa.func.count()).where(AuditEntry.action == action, AuditEntry.subject_id == infusion.id)
        return db.session.scalar(found)

    assert lines(AuditAction.SESSION_READ) == 1
    assert lines(AuditAction.SESSION_PRINTED) == 2


def test_the_print_holds_every_entry_and_a_code_that_changes_with_the_record(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(5), sbp=171, dbp=88)
    first = page_of(nurses_browser, infusion, "/print")
    assert "171/88" in first
    assert "<b>H</b>" in first or "&nbsp;H" in first
    assert first.split("record ")[-1][:9] == page_of(nurses_browser, infusion, "/print").split("record ")[-1][:9]
    observe(infusion, minute(6), hr=70)
    assert first.split("record ")[-1][:9] != page_of(nurses_browser, infusion, "/print").split("record ")[-1][:9]


def test_paper_joins_what_happened_in_the_minute_of_a_set_of_vitals(nurses_browser, make_running, observe):
    infusion = make_running()
    observe(infusion, minute(0), sbp=128, dbp=76)
    shown = page_of(nurses_browser, infusion, "/print").split("Entries</h2>")[1]
    assert shown.count('<td class="t">09:00</td>') == 1
    assert "Infusion started 13.6" in shown


def test_the_last_session_of_the_course_stands_below_the_order(
    client, nurse, at_minute, *, make_plain_course, give_session
):
    course = make_plain_course(6)
    first, second = (give_session(course, 1 + day, later=timedelta(days=day), by=nurse) for day in (0, 1))
    at_minute(24 * 60 + 150)
    client.sign_in(nurse)
    shown = client.get(f"/sessions/{second.id}").get_data(as_text=True)
    assert f'<a href="/sessions/{first.id}">Last session</a> <span class="sm mute">1 of 6' in shown
    assert "<dt>Given</dt><dd>13.6\u00a0mg</dd><dt>Pain</dt><dd>7 to 4</dd><dt>Events</dt><dd>none</dd>" in shown
    assert "Last session" not in client.get(f"/sessions/{first.id}").get_data(as_text=True)
