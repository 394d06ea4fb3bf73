"""When each site is open and a supervising clinician is there, day by day, in slots of the wall."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from clinic.scheduling.frame import DAY, SLOT, Frame
from clinic.scheduling.resources import Resources
from clinic.scheduling.room_rules import hours_on, open_spans
from clinic.scheduling.rules import week_of

Spans = list[tuple[int, int]]


class Sites:
    """The sites of some resources."""

    def __init__(self, resources: Resources, frame: Frame) -> None:
        self._resources, self._frame = resources, frame
        self._ids = list(dict.fromkeys(chair.site_id for chair in resources.chairs))

    def opening(self, on: date) -> tuple[int, int] | None:
        """From the first slot in which a site is open to the last; None where one of them says nothing about it."""
        spans: Spans = []
        for site_id in self._ids:
            here = self._open(site_id, on)
            if here is None:
                return None
            spans += here
        if not self._ids:
            return None
        return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else (0, 0)

    def has_hours(self, on: date) -> bool:
        """Whether hours were typed for this day, open or not."""
        return hours_on(self._resources.hours, on) is not None

    def shut(self) -> Iterator[tuple[uuid.UUID, int, int, int]]:
        """By site and day, the slots in which nobody can be there."""
        present = self._present()
        for site_id in self._ids:
            planned = {week_of(self._date(day)) for day in present[site_id]}
            for day in range(self._frame.length):
                on = self._date(day)
                here = self._open(site_id, on)
                if here is not None:
                    yield from ((site_id, day, start, end) for start, end in _outside(here))
                if week_of(on) in planned:
                    there = present[site_id].get(day, [])
                    yield from ((site_id, day, start, end) for start, end in _outside(there))

    def _date(self, day: int) -> date:
        return self._frame.first + timedelta(days=day)

    def _open(self, site_id: uuid.UUID, on: date) -> Spans | None:
        """The slots that lie whole in an opening of a site; None where nothing was typed."""
        hours = [each for each in self._resources.hours if each.site_id == site_id]
        closed = [each for each in self._resources.closed if each.site_id == site_id]
        minutes = open_spans(hours, closed, on)
        return None if minutes is None else [(-(-start // SLOT), end // SLOT) for start, end in minutes]

    def _present(self) -> dict[uuid.UUID, dict[int, Spans]]:
        found: dict[uuid.UUID, dict[int, Spans]] = defaultdict(lambda: defaultdict(list))
        for each in self._resources.presences:
            for day, start, end in self._frame.spans(each.starts_at, each.ends_at, is_inward=True):
                found[each.site_id][day].append((start, end))
        return found


def _outside(spans: Iterable[tuple[int, int]]) -> Spans:
    """What is left of a day."""
    left, at = [], 0
    for start, end in sorted(spans):
        if at < start:
            left.append((at, start))
        at = max(at, end)
    return [*left, (at, DAY)] if at < DAY else left
