"""Problems and plans as JSON files (format infusion-schedule/1)."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any

from clinic.scheduling.optimiser.plan import Snapshot
from clinic.scheduling.optimiser.problem import (
    Clinic,
    Course,
    DayRecord,
    Done,
    Gap,
    Nurse,
    Place,
    Problem,
    Session,
    Shape,
    Weights,
)

FORMAT = "infusion-schedule/1"
# What the format names; the others have its fixed value.
_WEIGHTS = [each.name for each in fields(Weights) if each.default is MISSING]


class BadFile(ValueError):
    """A file that is no problem of this format; the text says in one line what is wrong."""


def read_problem(path: Path) -> Problem:
    """A problem from its file, gzip or plain. Raises BadFile."""
    try:
        raw = path.read_bytes()
        document = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (OSError, ValueError, EOFError) as error:
        raise BadFile(f"{path.name} cannot be read: {error}") from error
    return problem_of(document)


def problem_of(document: Any) -> Problem:
    """A problem from its JSON document. Raises BadFile."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadFile(f"This is no file of the format {FORMAT}.")
    try:
        return _Reader(document).problem()
    except KeyError as error:
        raise BadFile(f"Something is missing or named nowhere: {error}") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadFile(f"Something has the wrong form: {error}") from error


class _Reader:
    """Turns names and dates into places in lists and numbers of days."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._first = date.fromisoformat(document["horizon"]["first"])
        self._length = self._day(document["horizon"]["last"]) + 1
        self._clinics = [self._clinic(clinic) for clinic in document["clinics"]]
        self._names = {clinic.name: number for number, clinic in enumerate(self._clinics)}

    def problem(self) -> Problem:
        document = self._document
        rules, weights = document["rules"], document["weights"]
        return Problem(
            name=str(document["name"]),
            kind=str(document["kind"]),
            slot_minutes=_whole(document["slot_minutes"], 1),
            today=self._day(document["today"]),
            first=self._first,
            length=self._length,
            weights=Weights(**{name: _whole(weights[name]) for name in _WEIGHTS}),
            supervision_slots=_whole(rules["supervision_slots"]),
            notice_days=_whole(rules["notice_days"]),
            clinics=tuple(self._clinics),
            courses=self._courses(document["courses"]),
            held=tuple(self._held(entry) for entry in document.get("calendar", ())),
            requests=self._courses(document.get("requests", ())),
        )

    def _day(self, text: str) -> int:
        return (date.fromisoformat(text) - self._first).days

    def _clinic(self, clinic: Mapping[str, Any]) -> Clinic:
        chairs = [chair["id"] for chair in clinic["chairs"]]
        days = {self._day(day["date"]): day for day in clinic["days"]}
        nurses = list(dict.fromkeys(nurse["id"] for day in days.values() for nurse in day["nurses"]))
        return Clinic(
            name=clinic["id"],
            cleaning=_whole(clinic["cleaning"]),
            cover_capacity=_whole(clinic["cover_capacity"]),
            level_target=_whole(clinic["level_target"]),
            chairs=tuple(chairs),
            features=tuple(frozenset(chair["features"]) for chair in clinic["chairs"]),
            nurses=tuple(nurses),
            days={
                number: _record(number, day, chairs, nurses)
                for number, day in days.items()
                if 0 <= number < self._length
            },
        )

    def _courses(self, courses: Sequence[Mapping[str, Any]]) -> tuple[Course, ...]:
        read = tuple(self._course(course) for course in courses)
        names = [session.name for course in read for session in course.sessions]
        if len(set(names)) < len(names):
            raise BadFile("A session's id is used twice.")
        return read

    def _course(self, course: Mapping[str, Any]) -> Course:
        done, availability = course.get("last_done"), course["availability"]
        sessions = tuple(self._session(session) for session in course["sessions"])
        if not sessions or len(availability["weekly"]) != 7:  # noqa: PLR2004 days of a week
            raise BadFile(f"Course {course['id']} has no session, or its week has not seven days.")
        return Course(
            name=course["id"],
            patient=course["patient"],
            priority=_whole(course["priority"]),
            clinics=tuple((self._names[clinic["id"]], _whole(clinic["penalty"])) for clinic in course["clinics"]),
            release=self._day(course["release"]),
            last_done=Done(self._day(done["date"]), done["start"], done["utc_offset"]) if done else None,
            weekly=tuple(_windows(windows) for windows in availability["weekly"]),
            exceptions={self._day(day): _windows(hours) for day, hours in availability.get("except", {}).items()},
            preferred=_pair(course["preferred"]),
            sessions=sessions,
        )

    def _session(self, session: Mapping[str, Any]) -> Session:
        gap, booked = session["gap"], session.get("booked")
        return Session(
            name=session["id"],
            shape=_shape(session, session["needs"]),
            gap=Gap(_whole(gap["min"]), _pair(gap["ideal"]), _whole(gap["max"]), gap["min_minutes"]) if gap else None,
            booked=self._place(booked) if booked else None,
            is_fixed=bool(booked and booked["fixed"]),
        )

    def _held(self, entry: Mapping[str, Any]) -> tuple[str, Shape, Place]:
        place = self._place(entry)
        if min(place.clinic, place.chair, place.nurse) < 0 or place.day not in self._clinics[place.clinic].days:
            raise BadFile(f"The calendar names what is not there, on {entry['date']} at slot {entry['start']}.")
        return entry["patient"], _shape(entry, ()), place

    def _place(self, booked: Mapping[str, Any]) -> Place:
        """Where a booking stands; -1 for a clinic, chair or nurse that is not there any more."""
        number = self._names.get(booked["clinic"], -1)
        clinic = self._clinics[number] if number >= 0 else None
        return Place(
            clinic=number,
            day=self._day(booked["date"]),
            start=_whole(booked["start"]),
            chair=_index(clinic.chairs, booked["chair"]) if clinic else -1,
            nurse=_index(clinic.nurses, booked["nurse"]) if clinic else -1,
        )


def _record(number: int, day: Mapping[str, Any], chairs: list[str], nurses: list[str]) -> DayRecord:
    return DayRecord(
        number=number,
        open=_whole(day["open"]),
        close=_whole(day["close"]),
        utc_offset=day["utc_offset"],
        physicians=_windows(day["physicians"]),
        nurses=tuple(
            Nurse(
                nurse=nurses.index(nurse["id"]),
                start=_whole(nurse["from"]),
                end=_whole(nurse["to"]),
                capacity=_whole(nurse["capacity"]),
                breaks=_windows(nurse["breaks"]),
            )
            for nurse in day["nurses"]
        ),
        closed_chairs=tuple(
            (chairs.index(shut["id"]), _whole(shut["from"]), _whole(shut["to"]))
            for shut in day.get("closed_chairs", ())
        ),
    )


def _shape(session: Mapping[str, Any], needs: Sequence[str]) -> Shape:
    return Shape(
        prep=_whole(session["prep"]),
        infusion=_whole(session["infusion"]),
        recovery=_whole(session["recovery"]),
        load=_whole(session["load"]),
        is_first=bool(session["first"]),
        needs=frozenset(needs),
    )


def _whole(value: Any, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise BadFile(f"{value!r} is no whole number from {least} up.")
    return value


def _pair(pair: Sequence[int]) -> tuple[int, int]:
    begin, end = pair
    return _whole(begin), _whole(end)


def _windows(windows: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple(_pair(window) for window in windows)


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


# --- plans -----------------------------------------------------------------------------------------------------------


def assignment(problem: Problem, session: Session, place: Place) -> dict[str, Any]:
    """A placed session with the names of the problem's file."""
    clinic = problem.clinics[place.clinic]
    return {
        "session": session.name,
        "clinic": clinic.name,
        "date": problem.date(place.day).isoformat(),
        "start": place.start,
        "chair": clinic.chairs[place.chair],
        "nurse": clinic.nurses[place.nurse],
    }


def plan_of(problem: Problem, plan: Snapshot) -> dict[str, Any]:
    """A plan in the words of its file."""
    assignments, unplaced = [], []
    for course, places in zip(problem.courses, plan.places, strict=True):
        assignments += [assignment(problem, one, place) for one, place in zip(course.sessions, places, strict=False)]
        unplaced += [session.name for session in course.sessions[len(places) :]]
    return {"assignments": assignments, "unplaced": unplaced}


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
