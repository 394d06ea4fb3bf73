"""Small scheduling problems as files hold them."""

from datetime import date, timedelta

from hypothesis import strategies as st

MONDAY = date(2026, 10, 19)  # the clocks change on the following Sunday
WEIGHTS = {
    "unplaced": 1000,
    "delay": 6,
    "gap": 10,
    "preference": 4,
    "continuity": 3,
    "level": 1,
    "fairness": 1,
    "move_day": 60,
    "move_time": 15,
    "move_slot": 1,
    "nurse_change": 3,
    "chair_change": 1,
}


def on(number):
    return (MONDAY + timedelta(days=number)).isoformat()


def make_day(number, nurses=("A", "B"), capacity=2, physicians=((32, 52),), closed_chairs=()):
    return {
        "date": on(number),
        "open": 32,
        "close": 52,
        "utc_offset": 120 if number < 6 else 60,
        "physicians": [list(window) for window in physicians],
        "nurses": [
            {"id": nurse, "from": 32, "to": 52, "capacity": capacity, "breaks": [[40 + 2 * place, 42 + 2 * place]]}
            for place, nurse in enumerate(nurses)
        ],
        "closed_chairs": list(closed_chairs),
    }


def make_clinic(days, chairs=(("1", ["bed"]), ("2", [])), name="C"):
    return {
        "id": name,
        "cleaning": 1,
        "cover_capacity": 1,
        "level_target": 75,
        "chairs": [{"id": chair, "features": features} for chair, features in chairs],
        "days": days,
    }


def make_session(name, number, *, length=(1, 3, 1), load=1, needs=(), gap=(1, 2, 3, 4), minutes=0, booked=None):
    least, low, high, most = gap
    return {
        "id": f"{name}-{number}",
        "number": number,
        "prep": length[0],
        "infusion": length[1],
        "recovery": length[2],
        "load": load,
        "first": number == 1,
        "needs": list(needs),
        "gap": {"min": least, "ideal": [low, high], "max": most, "min_minutes": minutes},
        "booked": booked,
    }


def make_course(name, sessions, *, clinics=("C",), release=0, preferred=(32, 42), weekly=None, priority=1):
    return {
        "id": name,
        "patient": f"P{name}",
        "priority": priority,
        "clinics": [{"id": clinic, "penalty": place} for place, clinic in enumerate(clinics)],
        "release": on(release),
        "last_done": None,
        "availability": {"weekly": weekly or [[[32, 52]]] * 7, "except": {}},
        "preferred": list(preferred),
        "sessions": sessions,
    }


def make_problem(clinics, courses, days=10, **more):
    return {
        "format": "infusion-schedule/1",
        "name": "test",
        "kind": "plan",
        "slot_minutes": 15,
        "timezone": "Europe/Berlin",
        "today": on(0),
        "horizon": {"first": on(0), "last": on(days - 1)},
        "weights": WEIGHTS,
        "rules": {"supervision_slots": 2, "notice_days": 2},
        "clinics": clinics,
        "courses": courses,
        **more,
    }


@st.composite
def sessions(draw, name, count):
    least = draw(st.integers(1, 2))
    most = least + draw(st.integers(0, 3))
    gap = (least, least, draw(st.integers(least, most)), most)
    length = tuple(draw(st.integers(1, 4)) for _ in range(3))
    minutes = draw(st.sampled_from([0, 0, 1440, 1500, 1320]))
    needs = draw(st.sampled_from([[], [], ["bed"]]))
    return [
        make_session(
            name,
            number,
            length=length,
            load=draw(st.integers(1, 2)),
            needs=needs if number == 1 else [],
            gap=gap,
            minutes=minutes,
        )
        for number in range(1, count + 1)
    ]


@st.composite
def courses(draw, name, most=3):
    window = draw(st.sampled_from([[[32, 52]], [[32, 44]], [[38, 52]], [[32, 40], [42, 52]]]))
    weekly = [window if draw(st.integers(0, 4)) else [] for _ in range(7)]
    return make_course(
        name,
        draw(sessions(name, draw(st.integers(1, most)))),
        release=draw(st.integers(0, 5)),
        preferred=draw(st.sampled_from([(32, 42), (40, 52)])),
        weekly=weekly,
        priority=draw(st.integers(1, 3)),
    )


@st.composite
def problems(draw, most_courses=6, days=10):
    open_days = [number for number in range(days) if number % 7 < 5]
    records = [
        make_day(
            number,
            nurses=draw(st.sampled_from([("A", "B"), ("A",), ("B", "C")])),
            physicians=draw(st.sampled_from([((32, 52),), ((34, 46),), ((32, 52), (36, 44))])),
            closed_chairs=draw(st.sampled_from([(), ({"id": "1", "from": 36, "to": 40},)])),
        )
        for number in open_days
    ]
    count = draw(st.integers(1, most_courses))
    return make_problem([make_clinic(records)], [draw(courses(f"K{number}")) for number in range(count)], days)
