"""What follows a visit: the note and its signatures, the call on the next day, what the patient answers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from clinic.core import db
from clinic.demo.bedside import Bedside
from clinic.demo.timeline import MINUTE, Days, Timeline
from clinic.demo.visits import LEAVES_AFTER, Visit
from clinic.notes import operations as notes
from clinic.notes.models import Note
from clinic.notes.session_facts import session_facts
from clinic.notes.summary_rules import draft_text
from clinic.outcomes import operations as outcomes
from clinic.outcomes.rules import Instrument, Occasion
from clinic.sessions.progress import progress

_DRAFTED, _SIGNED = LEAVES_AFTER + 4, LEAVES_AFTER + 9
_PEG_EVERY: Final = 2


def add_afterwards(bedside: Bedside, days: Days, timeline: Timeline, *, offset: int, is_cosigned: bool) -> None:
    """Put what follows a visit on the list. `offset` is the visit's day in weekdays from today, 0 or below."""
    visit = bedside.visit
    if visit.start is None:
        return
    left = visit.start + visit.run * MINUTE
    after = _Afterwards(bedside)
    name = f"{visit.treatment.family_name} {visit.number}"
    timeline.add(left + _DRAFTED * MINUTE, f"{name}: note", after.draft)
    timeline.add(left + _SIGNED * MINUTE, f"{name}: signature", after.sign)
    next_day = days.workday(offset + 1) if offset else days.workday(1)
    timeline.add(days.at(next_day, "10:00") + visit.number * 4 * MINUTE, f"{name}: call", after.call)
    if is_cosigned:
        timeline.add(days.at(next_day, "12:40") + visit.number * MINUTE, f"{name}: co-signature", after.cosign)


class _Afterwards:
    def __init__(self, bedside: Bedside) -> None:
        self.bedside = bedside
        self.visit: Visit = bedside.visit

    def draft(self, at: datetime) -> None:
        """Write what the page of a note begins with, and what only the nurse can say."""
        infusion, zone = self.bedside.infusion, self.bedside.world.zone
        told = draft_text(session_facts(infusion, progress(infusion, at), zone), zone)
        note = notes.draft_note(infusion, f"{told}\n{self.visit.remark}", by=self.bedside.nurse(at), at=at)
        self.visit.note_id = note.id

    @property
    def note(self) -> Note:
        return db.session.get_one(Note, self.visit.note_id)

    def sign(self, at: datetime) -> None:
        notes.sign_note(
            self.note,
            by=self.bedside.nurse(at),
            password=self.bedside.world.password,
            at=at,
            cosigner=self.bedside.physician(at),
        )

    def cosign(self, at: datetime) -> None:
        notes.cosign_note(self.note, by=self.bedside.physician(at), password=self.bedside.world.password, at=at)

    def call(self, at: datetime) -> None:
        infusion, by = self.bedside.infusion, self.bedside.nurse(at)
        outcomes.record_follow_up_call(
            infusion, called_at=at, is_reached=True, text="Slept well. No after-effects.", by=by, at=at
        )
        for instrument, items in self._answers():
            outcomes.record_outcome(
                infusion.course,
                instrument,
                items,
                occasion=Occasion.FOLLOW_UP,
                answered_at=at,
                infusion=infusion,
                by=by,
                at=at,
            )

    def _answers(self) -> Iterator[tuple[Instrument, list[int | None]]]:
        gained = 1 + self.visit.number // 2
        yield Instrument.NRS, [max(self.visit.treatment.body.pain - gained, 0)]
        if self.visit.number % _PEG_EVERY == 0:
            yield Instrument.PEG, [max(item - gained, 0) for item in self.visit.treatment.peg]
