"""Calendar addresses: the page where they are issued and revoked, and the answer to a calendar program."""

import hashlib
import uuid
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor, clinic
from clinic.accounts.models import Clinic, Staff
from clinic.accounts.passwords import token_hash
from clinic.accounts.rules import StaffStatus
from clinic.core import clock, db, formats, later
from clinic.core.permissions import Permission, Role, public, requires
from clinic.core.sharing import TellsNames
from clinic.ical import content, operations, queries
from clinic.ical.models import CalendarFeed
from clinic.ical.rules import FeedKind
from clinic.scheduling import queries as scheduling

bp = Blueprint("ical", __name__)

_ROLE = {FeedKind.NURSE: Role.NURSE, FeedKind.PHYSICIAN: Role.PHYSICIAN}
_ISSUED = "calendar-address"


# --- the answer to a calendar program --------------------------------------------------------------------------------


def _may_still(feed: CalendarFeed) -> bool:
    """Whether the person still works here in that role: the address of somebody who left is as dead as the account."""
    if feed.kind not in _ROLE:
        return True
    person = queries.person_with_roles(feed.staff_id) if feed.staff_id else None
    return person is not None and person.status is StaffStatus.ACTIVE and _ROLE[feed.kind] in person.roles


def _live(token: str) -> tuple[CalendarFeed, Clinic] | None:
    found = queries.feed_by_hash(token_hash(token))
    if found is None:
        return None
    db.enter_clinic(found[1].id)
    formats.zone.set(ZoneInfo(found[1].zone))
    return found if _may_still(found[0]) else None


@bp.get("/calendar-feed/<string:token>.ics")
@public
def send_feed(token: str) -> ResponseReturnValue:
    """The calendar behind an address. Only the address counts: no sign-in is asked for, and no cookie is given."""
    found = _live(token)
    if found is None:
        return Response("There is no calendar here. Ask the clinic for a new address.\n", 404, mimetype="text/plain")
    feed, its_clinic = found
    now = clock.now()
    made = content.calendar_of(feed, its_clinic, now=now)
    digest = hashlib.sha256(made).hexdigest()
    if operations.is_to_be_noted(feed, digest, at=now):
        later.do(partial(operations.note_fetched, feed.id, digest, at=now))
    answer = Response(made, mimetype="text/calendar")
    answer.set_etag(digest)
    answer.last_modified = feed.changed_at if feed.digest == digest else now
    # A calendar program keeps what it reads; it may, for its owner alone, and asks whether it is still so.
    g.is_kept_outside = True
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    return answer.make_conditional(request)


# --- the page --------------------------------------------------------------------------------------------------------


def own_kinds(person: Staff) -> list[FeedKind]:
    """The calendars of a person's own: one for each role in which patients are looked after."""
    return [kind for kind, role in _ROLE.items() if role in person.roles]


def show_once(of: uuid.UUID, kind: FeedKind, token: str) -> None:
    """Keep the address in the person's own cookie until the next page; the server keeps only its hash."""
    session[_ISSUED] = [str(of), kind.value, token]


def issued_now(of: uuid.UUID | None = None) -> tuple[str, str, str] | None:
    """What was issued just now, to be shown this once: whose, which kind, the address. Of one patient where given."""
    kept = session.get(_ISSUED)
    if not kept:
        return None
    whose = kept[0] if kept[1] == FeedKind.PATIENT else None
    if whose != (str(of) if of else None):
        return None
    session.pop(_ISSUED)
    return kept[0], kept[1], url_for("ical.send_feed", token=kept[2], _external=True)


@bp.get("/calendar-addresses")
@requires(Permission.READ_CALENDAR)
def list_addresses() -> ResponseReturnValue:
    person = actor()
    own = {feed.kind: feed for feed in queries.live_feeds(*_ROLE, staff_id=person.id)}
    may_book = person.may(Permission.BOOK)
    others = queries.live_feeds(FeedKind.CHAIR, FeedKind.PATIENT) if may_book else []
    of_chairs = {feed.chair_id: feed for feed in others if feed.chair_id}
    return render_template(
        "ical/addresses.html",
        own=[(kind, own.get(kind)) for kind in own_kinds(person)],
        chairs=[(chair, of_chairs.get(chair.id)) for chair in scheduling.chairs()] if may_book else [],
        patients=[feed for feed in others if feed.patient_id],
        issued=issued_now(),
        tells=clinic().calendars_tell or TellsNames.NOTHING,
    )


@bp.post("/calendar-addresses/own/<string:kind>/issue")
@requires(Permission.READ_CALENDAR)
def issue_own(kind: str) -> ResponseReturnValue:
    wanted = next((each for each in own_kinds(actor()) if each == kind), None) or abort(404)
    show_once(actor().id, wanted, operations.issue(wanted, actor(), by=actor(), at=clock.now()))
    return redirect(url_for(".list_addresses"), 303)


@bp.post("/calendar-addresses/chairs/<uuid:chair_id>/issue")
@requires(Permission.BOOK)
def issue_chairs(chair_id: uuid.UUID) -> ResponseReturnValue:
    chair = queries.chair(chair_id) or abort(404)
    show_once(chair.id, FeedKind.CHAIR, operations.issue(FeedKind.CHAIR, chair, by=actor(), at=clock.now()))
    return redirect(url_for(".list_addresses"), 303)


@bp.post("/calendar-addresses/<uuid:feed_id>/revoke")
@requires(Permission.READ_CALENDAR)
def revoke(feed_id: uuid.UUID) -> ResponseReturnValue:
    feed = queries.feed(feed_id) or abort(404)
    if feed.staff_id not in {None, actor().id}:
        abort(404)  # an address of one's own is one's own business
    if feed.staff_id is None and not actor().may(Permission.BOOK):
        abort(403)
    operations.revoke(feed, by=actor(), at=clock.now())
    flash("The address answers no more. A calendar that read it keeps what it has until its owner removes it.")
    if feed.patient_id is not None and request.form.get("back") == "patient":
        return redirect(url_for(".show_patients_address", patient_id=feed.patient_id), 303)
    return redirect(url_for(".list_addresses"), 303)


from clinic.ical import (  # noqa: E402 they add their routes and their part of the chart
    patient_panel,  # noqa: F401
    views_patient,  # noqa: F401
    views_sharing,  # noqa: F401
)
