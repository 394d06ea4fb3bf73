"""What upsets a day: a nurse is off, a chair is out of use, sessions go on for longer. Whom it meets, and why."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from clinic.accounts.models import Staff
from clinic.core import formats
from clinic.scheduling.models import Chair
from clinic.scheduling.queries_planning import Duty, Held, Shut
from clinic.scheduling.resources import Resources
from clinic.scheduling.rules import AppointmentStatus


class Happening(Protocol):
    """Something that happened, as the plan sees it."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...

    def apply(self, resources: Resources) -> Resources:
        """The resources as they are since."""

    def reason(self, each: Held, resources: Resources) -> str | None:
        """Why an appointment cannot stay as it is; None when it can."""


@dataclass(frozen=True, slots=True)
class NurseOff:
    """A nurse does not work in a time."""

    nurse: Staff
    starts_at: datetime
    ends_at: datetime

    def apply(self, resources: Resources) -> Resources:
        """Without her duty in that time."""
        duties: list[Duty] = []
        for duty in resources.duties:
            if duty.staff.id != self.nurse.id or not _meet(duty, self):
                duties.append(duty)
                continue
            if duty.starts_at < self.starts_at:
                duties.append(duty._replace(ends_at=self.starts_at))
            if self.ends_at < duty.ends_at:
                duties.append(duty._replace(starts_at=self.ends_at))
        return replace(resources, duties=duties)

    def reason(self, each: Held, _resources: Resources) -> str | None:
        """She was to look after the patient."""
        if each.nurse_id != self.nurse.id or not _meet(each, self):
            return None
        return f"{self.nurse.name} is off on {formats.weekday_day(each.starts_at)}"


@dataclass(frozen=True, slots=True)
class ChairOut:
    """A chair cannot be used in a time."""

    chair: Chair
    starts_at: datetime
    ends_at: datetime
    why: str

    def apply(self, resources: Resources) -> Resources:
        """With the chair shut."""
        shut = Shut(self.chair.id, self.starts_at, self.ends_at, self.why)
        return replace(resources, shut=[*resources.shut, shut])

    def reason(self, each: Held, _resources: Resources) -> str | None:
        """It was to stand in that chair."""
        is_met = each.chair_id == self.chair.id and _meet(each, self)
        return f"chair {self.chair.name} is closed: {self.why}" if is_met else None


@dataclass(frozen=True, slots=True)
class RunsLate:
    """The sessions that go on end later, in one chair or in all; whoever comes next there must wait or move."""

    at: datetime
    minutes: int
    chair_ids: Collection[uuid.UUID]

    @property
    def starts_at(self) -> datetime:
        """From now on."""
        return self.at

    @property
    def ends_at(self) -> datetime:
        """Somewhere on this day."""
        return self.at + timedelta(hours=12)

    def goes_on(self, each: Held) -> bool:
        """Whether a session is one of those that end late."""
        is_here = each.status is AppointmentStatus.ARRIVED and each.starts_at <= self.at < each.ends_at + _LATEST
        return is_here and each.chair_id in self.chair_ids

    def until(self, each: Held) -> datetime:
        """When it is thought to end."""
        return max(each.ends_at, self.at) + timedelta(minutes=self.minutes)

    def apply(self, resources: Resources) -> Resources:
        """With these sessions longer."""
        held = [each._replace(ends_at=self.until(each)) if self.goes_on(each) else each for each in resources.held]
        return replace(resources, held=held)

    def reason(self, each: Held, resources: Resources) -> str | None:
        """The chair is still taken when the session should begin. `resources` are those of before."""
        for other in resources.held:
            if (
                other.chair_id == each.chair_id
                and self.goes_on(other)
                and other.starts_at < each.starts_at < self.until(other)
            ):
                return f"the chair is taken until {formats.clock(self.until(other))}"
        return None


_LATEST = timedelta(hours=6)


class _Span(Protocol):
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


def _meet(one: _Span, other: _Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
