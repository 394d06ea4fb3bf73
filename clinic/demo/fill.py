"""Fill a database with the demonstration clinic, once; make it anew on request; never touch anything else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import click
import sqlalchemy as sa
from alembic import command
from flask import current_app

from clinic.accounts.models import Clinic
from clinic.audit import operations as audit
from clinic.audit.models import AuditEntry
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.courses import operations as courses
from clinic.courses.rules import CourseDecision
from clinic.demo.afterwards import add_afterwards
from clinic.demo.bedside import Bedside
from clinic.demo.history import first_instant, play_history, worked_cases
from clinic.demo.opening import add_opening, course_of
from clinic.demo.patients import Treatment, treatments
from clinic.demo.people import ZONE, DemoWorld, found_clinic, sign_in_lines
from clinic.demo.protocols import found_formulary
from clinic.demo.resources import add_resources
from clinic.demo.shifts import add_shifts
from clinic.demo.timeline import Days, Timeline
from clinic.demo.today import add_today, todays_visits
from clinic.demo.visits import coming_visits, past_visits

Echo = Callable[[str], None]

_FOUNDED_BEFORE: Final = timedelta(days=30)
# This long before today the newest notes were signed and nobody has co-signed them yet.
_NOT_COSIGNED: Final = frozenset({"Dubois"})


class DemoRefused(click.ClickException):
    """The demonstration clinic may not be made here; the message is one line for a person at a terminal."""


def fill_when_empty(echo: Echo) -> None:
    """Make the demonstration clinic where there is no clinic at all, and say who can sign in.

    One that was interrupted is made anew. A database with any other clinic is left alone. Raises DemoRefused in
    production.
    """
    refuse_production()
    if other_clinics():
        echo("The database holds a clinic already; the demonstration clinic was not added.")
        return
    if _is_finished():
        echo("The demonstration clinic is there.")
    else:
        if _is_begun():
            echo("The demonstration clinic is half filled. Making it anew …")
            _empty()
        _fill(echo)
    for line in ("", *sign_in_lines()):
        echo(line)


def fill_anew(echo: Echo) -> None:
    """Empty the database and make the demonstration clinic for this moment.

    Raises DemoRefused in production, and where the database holds any clinic that is not a demonstration.
    """
    refuse_production()
    refuse_other_clinics()
    echo("Emptying the database …")
    _empty()
    fill_when_empty(echo)


def refuse_production() -> None:
    """Raise DemoRefused where the configuration is production: everybody knows the demonstration's password."""
    if current_app.config["IS_PRODUCTION"]:
        raise DemoRefused("Refused: there are no demonstration accounts in production.")


def refuse_other_clinics() -> None:
    """Raise DemoRefused where somebody else's records are."""
    if found := other_clinics():
        raise DemoRefused(f"Refused: the database holds {found[0]}, which is no demonstration clinic.")


def other_clinics() -> list[str]:
    """The names of the clinics that are no demonstration; none in a database without tables."""
    if not sa.inspect(db.engine()).has_table(Clinic.__tablename__):
        return []
    with db.unit_of_work(write=False):
        return list(db.session.scalars(sa.select(Clinic.name).where(Clinic.is_demo.is_(False))))


def _is_begun() -> bool:
    with db.unit_of_work(write=False):
        return db.session.scalar(sa.select(Clinic.id).where(Clinic.is_demo).limit(1)) is not None


def _is_finished() -> bool:
    """The last line of a complete filling is there."""
    with db.unit_of_work(write=False):
        made = sa.select(AuditEntry.id).where(AuditEntry.action == AuditAction.DEMO_CREATED).limit(1)
        return db.session.scalar(made) is not None


def _empty() -> None:
    """The record refuses deletion, and rightly so: its tables are taken away and built again."""
    engine = db.engine()
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    command.downgrade(db.alembic_config(url), "base")
    db.upgrade(url)


# --- filling ---------------------------------------------------------------------------------------------------------


def _fill(echo: Echo) -> None:
    now = clock.now().replace(second=0, microsecond=0)
    days, cases = Days(now, ZONE), worked_cases(now)
    founded = min(first_instant(cases), now) - _FOUNDED_BEFORE
    echo("Making the demonstration clinic: people, chairs, shifts, drugs, protocols …")
    with clock.standing_at(founded):
        with db.unit_of_work():
            world = found_clinic(at=founded)
        with db.in_clinic(world.clinic_id), db.unit_of_work():
            found_formulary(world, at=founded)
            add_shifts(world, days, at=founded)
    echo("Playing the worked cases as its history …")
    refusals = play_history(world, cases, echo=echo)
    with db.in_clinic(world.clinic_id):
        echo("Playing the last weeks and today …")
        timeline = Timeline(now)
        _write(world, days, timeline)
        timeline.play(echo)
        with db.unit_of_work():
            add_resources(world, days, at=now)
        _finish(world, at=clock.now())
    for line in (*refusals, *timeline.refusals):
        echo(f"  left out: {line}")


def _finish(world: DemoWorld, *, at: datetime) -> None:
    with db.unit_of_work():
        clinic = db.session.get_one(Clinic, world.clinic_id)
        audit.record(AuditAction.DEMO_CREATED, clinic, actor_id=None, at=at, clinic_id=clinic.id)


def _write(world: DemoWorld, days: Days, timeline: Timeline) -> None:
    """Put the patients' courses on the list: opening, visits that are over, today's, those to come."""
    people = treatments()
    todays = todays_visits(days, people)
    for place, treatment in enumerate(people.values()):
        past, today = past_visits(days, treatment), todays.get(treatment.family_name)
        first = len(past) + 1 + (today is not None)
        booked = [*past, *([today] if today else []), *coming_visits(days, treatment, first=first)]
        add_opening(world, days, timeline, treatment, booked, place=place)
        for visit, offset in zip(past, treatment.past, strict=True):
            bedside = Bedside(world, visit)
            bedside.add_to(timeline)
            is_cosigned = treatment.family_name not in _NOT_COSIGNED
            add_afterwards(bedside, days, timeline, offset=-offset, is_cosigned=is_cosigned and offset > 1)
    for bedside in add_today(world, days, timeline, todays).values():
        add_afterwards(bedside, days, timeline, offset=0, is_cosigned=False)
    timeline.add(
        days.at(days.workday(-1), "12:00"), "Petrova: review", lambda at: _review(world, people["Petrova"], at)
    )


def _review(world: DemoWorld, treatment: Treatment, at: datetime) -> None:
    text = "Pain 6 to 4 over two sessions, no side effects. Go on."
    by = world.person(treatment.physician, at=at)
    courses.review(course_of(treatment), CourseDecision.CONTINUE, text, by=by, at=at)
