"""Restricted charts at the door: what a request reads or writes of a patient is asked here first, wherever it happens.

Every page of a chart notes who reads it and every change leaves a line; both go through one watch (`audit/origin.py`),
so a page that somebody adds tomorrow is watched as well. The desk's pages, about who comes when, are not the chart.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from clinic import traces
from clinic.accounts import current
from clinic.accounts.models import Staff
from clinic.audit import origin
from clinic.core import clock
from clinic.core.permissions import Permission
from clinic.patients import restricting
from clinic.patients.models import ChartOpening

_THE_DESKS = frozenset({"scheduling"})


class ChartClosed(Exception):
    """The chart is restricted, and whoever is at work does not belong to its team."""

    def __init__(self, patient_id: uuid.UUID) -> None:
        super().__init__()
        self.patient_id = patient_id


def watch() -> None:
    """Watch the rest of this request of a signed-in person."""
    if request.blueprint not in _THE_DESKS:
        origin.watch.set(_watch_of(current.actor(), clock.now()))


def _watch_of(person: Staff, at: datetime) -> Callable[[uuid.UUID], None]:
    closed: list[frozenset[uuid.UUID]] = []

    def ask(patient_id: uuid.UUID) -> None:
        if not closed:
            closed.append(restricting.closed_to(person.id, at=at))  # asked once
        if patient_id in closed[0]:
            raise ChartClosed(patient_id)

    return ask


def show_closed(refusal: ChartClosed) -> ResponseReturnValue:
    """Say that the chart is restricted, and where whoever may breaks the glass; the refusal stands in the trail."""
    g.denied = Permission.READ_CHART
    if traces.is_in_background():
        return "This chart is restricted.", 403
    return render_template("errors/restricted.html", patient_id=refusal.patient_id), 403


@dataclass(frozen=True, slots=True)
class Glass:
    """What stands above every page: the charts that one has opened, and how many openings of others wait."""

    openings: list[ChartOpening]
    waiting: int


def glass() -> Glass:
    """What the person at the screen is told about restricted charts on every page."""
    person, at = current.actor(), clock.now()
    openings = restricting.openings_of(person.id, at=at) if person.may(Permission.BREAK_GLASS) else []
    waiting = restricting.waiting_for(person.id) if person.may(Permission.REVIEW_OPENING) else 0
    return Glass(openings, waiting)
