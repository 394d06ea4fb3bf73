"""Rows that are held while times are given away, always in one order. See docs/locking.md."""

import uuid
from collections.abc import Collection

import sqlalchemy as sa

from clinic.accounts.models import Site, Staff
from clinic.core import db
from clinic.courses.models import Course
from clinic.patients.models import Patient
from clinic.scheduling.models import Chair, Pump


def lock(table: type[Site | Chair | Patient | Course | Staff | Pump], ids: Collection[uuid.UUID]) -> None:
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
    pumps: Collection[uuid.UUID] = (),
) -> None:
    """Hold what a booking needs: sites, chairs, then the patient, the course, nurses and pumps.

    Two desks that want each other's chairs take them in the same order, so one waits and neither is stuck. Bookings
    share the site of their chairs; whoever changes its hours holds it alone (`lock(Site, …)`) and waits for them.
    """
    if chairs:
        _share_sites(chairs)
        lock(Chair, chairs)
    if patients:
        lock(Patient, patients)
    if courses:
        lock(Course, courses)
    if nurses:
        lock(Staff, nurses)
    if pumps:
        lock(Pump, pumps)


def _share_sites(chairs: Collection[uuid.UUID]) -> None:
    sites = sa.select(Chair.site_id).where(Chair.id.in_(sorted(chairs)))
    db.session.execute(sa.select(Site.id).where(Site.id.in_(sites)).order_by(Site.id).with_for_update(read=True))
