"""A slow judge of plans, slot by slot from the text of the rules: it shares nothing with the optimiser."""

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise


def judge(document, answer):
    """The hard rules that a plan breaks, and what it costs (document and answer as in the files)."""
    return _Judge(document, answer).verdict()


def _day(text):
    return date.fromisoformat(text)


def _length(session):
    return session["prep"] + session["infusion"] + session["recovery"]


class _Judge:
    def __init__(self, document, answer):
        self.document, self.weights, self.rules = document, document["weights"], document["rules"]
        self.today = _day(document["today"])
        self.placed = {one["session"]: one for one in answer["assignments"]}
        self.unplaced = answer["unplaced"]
        self.broken = set()
        self.cost = 0
        self.on = defaultdict(list)  # clinic and date: session, assignment

    def verdict(self):
        names = [session["id"] for course in self.document["courses"] for session in course["sessions"]]
        if sorted(names) != sorted([*self.placed, *self.unplaced]):
            self.broken.add("H1")
        for course in self.document["courses"]:
            self.course(course)
        for clinic in self.document["clinics"]:
            for day in clinic["days"]:
                self.day(clinic, day, self.on.pop((clinic["id"], day["date"]), []))
            self.weeks(clinic)
        if self.on:
            self.broken.add("H3")
        return self.broken, self.cost

    # --- one course ---

    def course(self, course):
        here = [self.placed.get(session["id"]) for session in course["sessions"]]
        count = sum(place is not None for place in here)
        self.cost += self.weights["unplaced"] * course["priority"] * (len(here) - count)
        if any(here[count:]):
            self.broken.add("H1")
        places = here[:count]
        if len({place["clinic"] for place in places}) > 1:
            self.broken.add("H2")
        if len({place["date"] for place in places}) < count:
            self.broken.add("H13")
        before = course["last_done"]
        for session, place in zip(course["sessions"], places, strict=False):
            self.on[place["clinic"], place["date"]].append((session, place))
            self.session(course, session, place, before)
            offset = self.offset(place)
            before = {"date": place["date"], "start": place["start"], "utc_offset": offset}
        if places:
            most = max(Counter(place["nurse"] for place in places).values())
            self.cost += self.weights["continuity"] * (count - most)

    def offset(self, place):
        clinic = next(one for one in self.document["clinics"] if one["id"] == place["clinic"])
        return next(day["utc_offset"] for day in clinic["days"] if day["date"] == place["date"])

    def session(self, course, session, place, before):
        start, end, at = place["start"], place["start"] + _length(session), _day(place["date"])
        self.cost += next(one["penalty"] for one in course["clinics"] if one["id"] == place["clinic"])
        windows = course["availability"]["except"].get(place["date"], course["availability"]["weekly"][at.weekday()])
        if not any(begin <= start and end <= until for begin, until in windows):
            self.broken.add("H11")
        if before is None:
            waited = (at - _day(course["release"])).days
            if waited < 0:
                self.broken.add("H12")
            self.cost += self.weights["delay"] * course["priority"] * waited
        else:
            self.gap(session["gap"], before, place, at)
        begin, until = course["preferred"]
        if start < begin or end > until:
            self.cost += self.weights["preference"]
        if session["booked"]:
            self.moved(session["booked"], place)

    def gap(self, gap, before, place, at):
        days = (at - _day(before["date"])).days
        minutes = days * 1440 + (place["start"] - before["start"]) * self.document["slot_minutes"]
        minutes -= self.offset(place) - before["utc_offset"]
        if not gap["min"] <= days <= gap["max"] or minutes < gap["min_minutes"]:
            self.broken.add("H12")
        low, high = gap["ideal"]
        self.cost += self.weights["gap"] * (max(0, low - days) + max(0, days - high))

    def moved(self, booked, place):
        weights = self.weights
        factor = 2 if (_day(booked["date"]) - self.today).days < self.rules["notice_days"] else 1
        if (booked["clinic"], booked["date"]) != (place["clinic"], place["date"]):
            self.cost += factor * weights["move_day"]
            if booked["fixed"]:
                self.broken.add("H14")
            return
        slots = abs(booked["start"] - place["start"])
        if slots and booked["fixed"]:
            self.broken.add("H14")
        self.cost += factor * (weights["move_time"] + weights["move_slot"] * min(slots, 8)) if slots else 0
        self.cost += factor * weights["nurse_change"] * (booked["nurse"] != place["nurse"])
        self.cost += factor * weights["chair_change"] * (booked["chair"] != place["chair"])

    # --- one day ---

    def day(self, clinic, day, stays):
        for session, place in stays:
            end = place["start"] + _length(session)
            if place["start"] < day["open"] or end > day["close"]:
                self.broken.add("H3")
        self.chairs(clinic, day, stays)
        nurses = {nurse["id"]: nurse for nurse in day["nurses"]}
        for session, place in stays:
            nurse = nurses.get(place["nurse"])
            if not nurse or place["start"] < nurse["from"] or place["start"] + _length(session) > nurse["to"]:
                self.broken.add("H5")
            elif any(begin <= place["start"] < end for begin, end in nurse["breaks"]):
                self.broken.add("H7")
        if len({(place["nurse"], place["start"]) for _, place in stays}) < len(stays):
            self.broken.add("H7")
        for slot in range(day["open"], day["close"]):
            self.slot(clinic, day, stays, slot)

    def chairs(self, clinic, day, stays):
        features = {chair["id"]: chair["features"] for chair in clinic["chairs"]}
        taken = defaultdict(list)
        for session, place in stays:
            start, end = place["start"], place["start"] + _length(session)
            taken[place["chair"]].append((start, end))
            shut = any(
                one["id"] == place["chair"] and start < one["to"] and one["from"] < end for one in day["closed_chairs"]
            )
            if shut or not set(session["needs"]) <= set(features.get(place["chair"], ())):
                self.broken.add("H4")
        for uses in taken.values():
            if any(after[0] < before[1] + clinic["cleaning"] for before, after in pairwise(sorted(uses))):
                self.broken.add("H4")

    def slot(self, clinic, day, stays, slot):
        here = [
            (session, place) for session, place in stays if place["start"] <= slot < place["start"] + _length(session)
        ]
        for nurse in day["nurses"]:
            if sum(s["load"] for s, place in here if place["nurse"] == nurse["id"]) > nurse["capacity"]:
                self.broken.add("H6")
        working = [nurse for nurse in day["nurses"] if nurse["from"] <= slot < nurse["to"]]
        resting = [nurse for nurse in working if any(begin <= slot < end for begin, end in nurse["breaks"])]
        capacity = sum(nurse["capacity"] for nurse in working if nurse not in resting)
        load = sum(session["load"] for session, _ in here)
        if load > capacity + (clinic["cover_capacity"] if resting else 0):
            self.broken.add("H8")
        self.cost += self.weights["level"] * max(0, load - capacity * clinic["level_target"] // 100)
        physicians = sum(begin <= slot < end for begin, end in day["physicians"])
        infusing = [(s, place) for s, place in here if 0 <= slot - place["start"] - s["prep"] < s["infusion"]]
        if infusing and not physicians:
            self.broken.add("H9")
        firsts = [
            s
            for s, place in infusing
            if s["first"] and slot - place["start"] - s["prep"] < self.rules["supervision_slots"]
        ]
        if len(firsts) > physicians:
            self.broken.add("H10")

    def weeks(self, clinic):
        duty, done = defaultdict(Counter), defaultdict(Counter)
        sessions = {s["id"]: s for course in self.document["courses"] for s in course["sessions"]}
        for day in clinic["days"]:
            week = _day(day["date"]).isocalendar()[:2]
            for nurse in day["nurses"]:
                duty[week][nurse["id"]] += nurse["capacity"] * (nurse["to"] - nurse["from"])
            for name, place in self.placed.items():
                if (place["clinic"], place["date"]) == (clinic["id"], day["date"]):
                    done[week][place["nurse"]] += _length(sessions[name]) * sessions[name]["load"]
        for week, slots in duty.items():
            shares = [100 * done[week][nurse] // slots[nurse] for nurse in slots]
            self.cost += self.weights["fairness"] * (max(shares) - min(shares))
