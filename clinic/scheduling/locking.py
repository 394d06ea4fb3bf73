"""Rows that are held while times are given away, always in one order. See docs/locking.md."""

import uuid
from collections.abc import Collection

import sqlalchemy as sa

from clinic.accounts.models import Staff
from clinic.core import db
from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling.models import Chair


def lock(table: type[Chair | Patient | Course | Staff], ids: Collection[uuid.UUID]) -> None:
    """Hold rows until the transaction ends, in the order of their keys; SQLite has taken the whole database already.

    A lock of this strength lets others insert rows that refer to these.
    """
    db.session.execute(
        sa.select(table.id).where(table.id.in_(sorted(ids))).order_by(table.id).with_for_update(key_share=True)
    )


def lock_in_order(
    *,
    chairs: Collection[uuid.UUID] = (),
    patients: Collection[uuid.UUID] = (),
    courses: Collection[uuid.UUID] = (),
    nurses: Collection[uuid.UUID] = (),
) -> None:
    """Hold what a booking needs: chairs, then the patient, then the course, then nurses.

    Two desks that want each other's chairs take them in the same order, so one waits and neither is stuck.
    """
    if chairs:
        lock(Chair, chairs)
    if patients:
        lock(Patient, patients)
    if courses:
        lock(Course, courses)
    if nurses:
        lock(Staff, nurses)
