"""Wishes that outlived their course, from before courses ended them, are ended by the migration."""

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from clinic.core import db
from clinic.courses.rules import CourseStatus
from clinic.scheduling import operations_waiting
from clinic.scheduling.operations_waiting import Wishes
from clinic.scheduling.rules import WaitingStatus
from tests.factories.scheduling import DESK_OPENS


@pytest.fixture
def migrate():
    revisions = ScriptDirectory.from_config(db.alembic_config("sqlite://")).walk_revisions()
    ours = next(found for found in revisions if found.module.__file__.endswith("end_the_wishes_of_ended_courses.py"))

    def go():
        db.session.flush()
        with Operations.context(MigrationContext.configure(db.session.connection())):
            ours.module.upgrade()
        db.session.expire_all()

    return go


def test_only_wishes_of_courses_that_are_over_end(make_active_course, make_patient, scheduler, migrate):
    courses = [make_active_course(make_patient(family_name=name, allergies=())) for name in ("Berg", "Chen")]
    over, going_on = (
        operations_waiting.put_on_the_list(each, 1, Wishes(notice_hours=0), by=scheduler, at=DESK_OPENS)
        for each in courses
    )
    db.session.execute(sa.update(type(courses[0])).values(status=CourseStatus.COMPLETED).filter_by(id=courses[0].id))
    migrate()
    assert (over.status, over.ended_reason) == (WaitingStatus.WITHDRAWN, "The course is over.")
    assert (over.ended_at, over.ended_by_id) == (DESK_OPENS, None)
    assert going_on.status is WaitingStatus.WAITING
