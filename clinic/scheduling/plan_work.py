"""The process that makes plans: it reads, searches without a transaction, and says every few seconds how far it is."""

import logging
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError

from clinic.accounts.models import Clinic
from clinic.core import clock, db, formats
from clinic.scheduling import operations_plans, queries_plans
from clinic.scheduling.models_plans import MonthPlan
from clinic.scheduling.optimiser import search
from clinic.scheduling.optimiser.plan import Snapshot
from clinic.scheduling.plan_rules import PlanStatus, percent
from clinic.scheduling.planning import Planning

log = logging.getLogger("clinic.plans")

# Seconds between two words about how far it is.
_EVERY: Final = 2
_TRIES: Final = 5


def start_apart(environment: dict[str, str]) -> None:
    """Begin a process that makes what was asked for. It outlives this one; `clinic plans work` is the same by hand."""
    line = [sys.executable, "-m", "clinic.cli", "plans", "work"]
    child = subprocess.Popen(  # noqa: S603 arguments that we wrote
        line,
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Somebody has to take in that it ended; the request does not wait for it.
    threading.Thread(target=child.wait, name="plan", daemon=True).start()


def make_plans(clinic: Clinic, *, is_over: Callable[[], bool]) -> int:
    """Make what this clinic asked for, and give how many plans were made."""
    made = 0
    token = formats.zone.set(ZoneInfo(clinic.zone))
    try:
        with db.in_clinic(clinic.id):
            while not is_over() and _make_next(is_over):
                made += 1
    finally:
        formats.zone.reset(token)
    return made


def _make_next(is_over: Callable[[], bool]) -> bool:
    with db.unit_of_work():
        plan = next(iter(queries_plans.asked_for()), None)
        if plan is None or not operations_plans.begin(plan, at=clock.now()):
            return False
    try:
        planning = _read(plan)
        _Work(plan, planning, is_over).search()
    except Exception:
        log.exception("A plan broke off")
        with db.unit_of_work():
            operations_plans.end(plan.id, PlanStatus.BROKEN, None, at=clock.now())
    return True


def _read(plan: MonthPlan) -> Planning:
    """Everything the search needs, in one reading transaction that ends before it begins."""
    with db.unit_of_work(write=False):
        numbers: dict[uuid.UUID, list[int]] = defaultdict(list)
        minutes: dict[uuid.UUID, int] = {}
        for row in queries_plans.planned(plan.id):
            numbers[row.course_id].append(row.session_number)
            minutes[row.course_id] = row.minutes
        return Planning(numbers, minutes, last=plan.last_on, at=clock.now())


class _Work:
    """One search: when it ends, and what is said in between."""

    def __init__(self, plan: MonthPlan, planning: Planning, is_over: Callable[[], bool]) -> None:
        self._plan, self._planning, self._is_over = plan, planning, is_over
        self._began = self._told_at = time.monotonic_ns()
        self._best: Snapshot | None = None
        self._told: Snapshot | None = None
        self._status = PlanStatus.FINISHED

    def search(self) -> None:
        """Search until the time is over, somebody stops it, or the process is told to end."""
        with search.uncollected():
            best = self._planning.solve(self._share, self._notice)
        found = self._planning.places(best) | self._planning.in_the_way(best)
        for left in reversed(range(_TRIES)):
            try:
                with db.unit_of_work():
                    operations_plans.end(self._plan.id, self._status, found, at=clock.now())
            except DBAPIError:
                if not left:
                    raise
                time.sleep(_EVERY)
            else:
                return

    def _notice(self, best: Snapshot) -> None:
        self._best = best

    def _share(self, _rounds: int) -> int:
        now = time.monotonic_ns()
        if self._status is PlanStatus.FINISHED and now - self._told_at >= _EVERY * 1_000_000_000:
            self._told_at = now
            self._status = self._go_on(percent(now - self._began, self._plan.seconds * 1_000_000_000))
        if self._is_over():
            self._status = PlanStatus.BROKEN
        if self._status is not PlanStatus.FINISHED:
            return search.OVER
        return (now - self._began) // (1000 * self._plan.seconds)

    def _go_on(self, share: int) -> PlanStatus:
        """Say how far it is; a database that does not answer for a moment stops nobody."""
        best = self._best
        found = self._planning.places(best) if best is not None and best is not self._told else None
        try:
            with db.unit_of_work():
                is_wanted = operations_plans.go_on(self._plan.id, share, found, at=clock.now())
        except DBAPIError as error:
            log.warning("The database does not answer (%s). The search goes on.", type(error.orig).__name__)
            return PlanStatus.FINISHED
        self._told = best
        return PlanStatus.FINISHED if is_wanted else PlanStatus.STOPPED
