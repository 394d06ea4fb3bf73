"""Play worked cases through the operations that the screens call, and set what the record says beside what is expected.

`play_case(case, world)` plays one case in a clinic of your choosing and gives `Played`; it works inside the piece of
work that stands (`db.unit_of_work()`) or makes one. `found_world(case, at=…)` makes a clinic for one case alone.
`World` (play_clinic.py) is who and where: pass your own to play cases into a clinic that exists, as the demonstration
clinic does::

    world = World(clinic_id=…, zone=…, password="…", password_hash="…",
                  staff={"PHY-1": staff.id, …}, chairs={"A1": chair.id, …},
                  protocols={"KET-2H v2": protocol_version.id, …}, drugs={"ketamine": drug.id, …})
    for case in schema.read_file(schema.WORKED).cases:
        played = play_case(case, world)

What a world lacks is made when a case first needs it. A case is played at its own times: each step with the clock
standing at its instant, in the order of time, in a savepoint of its own. What an operation refuses is undone, kept as
a `Refusal` in the system's own words, and counts as a difference unless the case expects one.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.cases.figure_names import compare
from clinic.cases.figures import Figure, Known
from clinic.cases.parts import Case, CaseFile, Expected
from clinic.cases.play_bedside import play_bedside
from clinic.cases.play_clinic import CAST, World, found_world, is_empty
from clinic.cases.play_course import play_follow_up, play_opening, play_order_signatures
from clinic.cases.play_drugs import play_drugs
from clinic.cases.play_leaving import play_leaving
from clinic.cases.play_session import play_before, play_near_misses, play_pump
from clinic.cases.play_visits import play_visits
from clinic.cases.playing import Refusal, Script
from clinic.cases.reading import CaseFault, shown
from clinic.cases.stage import Stage, Visit, stage_visits
from clinic.core import db

__all__ = ["NotEmpty", "Played", "World", "found_world", "play_case", "play_file"]

_LONG_BEFORE = timedelta(days=30)
_BEFORE_SESSION = timedelta(hours=2)


class NotEmpty(Exception):
    """The database holds a clinic already: cases are never played into somebody's records."""


@dataclass(frozen=True, slots=True)
class Played:
    """One case after it was played. `supplied` is what the file left open and the player filled in."""

    case: Case
    figures: tuple[Figure, ...]
    refusals: tuple[Refusal, ...]
    supplied: tuple[str, ...]
    known: Known

    @property
    def agrees(self) -> bool:
        """Whether every figure is as expected and nothing that the case tells of was refused."""
        return all(figure.agrees for figure in self.figures) and (not self.refusals or self.known.expects_refusal)


def play_case(case: Case, world: World) -> Played:
    """Play one case in a world and compute every figure that it expects from the records it left."""
    script = Script()
    stage = Stage(world=world, case=case, script=script, visits=stage_visits(case), opening=_opening(case, script))
    with db.in_clinic(world.clinic_id), db.unit_of_work():
        _write_script(stage)
        script.play()
        known = Known(stage, script.refusals)
        figures = tuple(compare(expected, visit, known) for expected, visit in _expected(stage))
    return Played(case, figures, tuple(script.refusals), tuple(script.supplied), known)


def _write_script(stage: Stage) -> None:
    play_opening(stage)
    play_visits(stage)
    for visit in stage.visits:
        play_before(stage, visit)
        play_near_misses(stage, visit)
        play_pump(stage, visit)
        play_bedside(stage, visit)
        play_drugs(stage, visit)
        play_leaving(stage, visit)
        play_order_signatures(stage, visit)
        for part in visit.part.follow_ups:
            play_follow_up(stage, visit, part)


def _opening(case: Case, script: Script) -> datetime:
    """When the first order was signed; where the file does not say, two hours before the first session."""
    signed = case.orders[0].signed_at
    if signed is not None:
        return signed
    script.supply("When the order was signed.")
    starts = [session.session.start for session in case.sessions]
    starts += [entry.at for entry in case.gates if entry.at is not None]
    return min(starts) - _BEFORE_SESSION


def _expected(stage: Stage) -> Iterator[tuple[Expected, Visit | None]]:
    for visit in stage.visits:
        yield from ((expected, visit) for expected in visit.part.expect)
    yield from ((expected, None) for expected in stage.case.expect)


def play_file(file: CaseFile) -> Iterator[Played]:
    """Play every case of a file, each in a clinic of its own, in the database of the session that stands.

    Raises NotEmpty when there is a clinic already, CaseFault when a case names somebody whom nobody knows.
    """
    with db.unit_of_work():
        if not is_empty():
            raise NotEmpty
    for case in file.cases:
        _refuse_strangers(case, {*CAST, *file.staff})
    for case in file.cases:
        with db.unit_of_work():
            world = found_world(case, at=_founded(case), names=file.staff)
        yield play_case(case, world)


def _refuse_strangers(case: Case, known: Collection[str]) -> None:
    """Whoever signs, nurses, checks or supervises is one of the clinic's staff or of the file's own `staff`."""
    named = [(order.signed_by, order.place) for order in case.orders]
    for one in case.sessions:
        part = one.session
        named += [(code, part.place) for code in (*part.nurses, part.second_check, part.supervising)]
    for text, place in named:
        strangers = [code for code in _CODE.findall(text or "") if code not in known]
        if strangers or (text is not None and not re.search("[A-Za-z]", text)):
            raise CaseFault(f"{place}: nobody here is {shown(strangers[0] if strangers else text or '')}")


_CODE = re.compile(r"\b[A-Z]{2,5}-\d+\b")


def _founded(case: Case) -> datetime:
    return _opening(case, Script()) - _LONG_BEFORE


@contextmanager
def database(url: str) -> Iterator[None]:
    """The database of an address, migrated, with one transaction around everything; what this process uses stays."""
    db.upgrade(url)
    engine = db.create_engine(url)
    try:
        with db.make_session(engine.execution_options(write=True)) as made, db.using_session(made), made.begin():
            yield
    finally:
        engine.dispose()


def as_data(played: list[Played], file: CaseFile) -> Mapping[str, object]:
    """What was played, for machines: strings for every figure, so that no digit is lost."""
    return {
        "schema": "infusion-figures/1",
        "file": file.name,
        "agree": all(one.agrees for one in played),
        "warnings": list(file.warnings),
        "cases": [_case_data(one) for one in played],
    }


def _case_data(one: Played) -> dict[str, object]:
    return {
        "id": one.case.id,
        "title": one.case.title,
        "agrees": one.agrees,
        "figures": [
            {
                "name": figure.name,
                "expected": figure.expected,
                "computed": figure.computed,
                "agrees": figure.agrees,
                **({"note": figure.note} if figure.note else {}),
            }
            for figure in one.figures
        ],
        "refusals": [
            {"at": refusal.at.isoformat(), "what": refusal.what, "message": refusal.message, "place": refusal.place}
            for refusal in one.refusals
        ],
        "supplied": list(one.supplied),
    }
