"""The text that a note begins with: everything that the record holds, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clinic.notes.summary_rules import Happening, OutsideValue, ScoreFact, SessionFacts, draft_text

ZONE = ZoneInfo("America/New_York")
START = datetime(2025, 11, 18, 18, 5, tzinfo=UTC)


def at(minutes):
    return START + timedelta(minutes=minutes)


FACTS = SessionFacts(
    number=4,
    planned=6,
    drug="ketamine",
    started_at=START,
    stopped_at=at(150),
    given_mg=Decimal("48.749"),
    maximum_mg=Decimal(60),
    highest_rate_mg_h=Decimal(25),
    rates=((START, Decimal(15)), (at(30), Decimal("20.5"))),
    pain_before=7,
    pain_after=4,
    outside=(OutsideValue(at(70), "systolic 164", "above limit 160", "152", at(75)),),
    is_observed=True,
    events=(Happening(at(64), "Nausea, mild"),),
    prn=(Happening(at(65), "Ondansetron 4\u00a0mg IV"),),
    score=ScoreFact(at(183), "MPADSS", 10),
    left="Left with Ivan Petrov at 16:14",
)


def test_tells_the_session_line_by_line():
    assert draft_text(FACTS, ZONE).splitlines() == [
        "Ketamine, session 4 of 6. Infusion 13:05 to 15:35.",
        (
            "Rate 15\u00a0mg per hour from 13:05, 20.5\u00a0mg per hour from 13:35. "
            "Given 48.75\u00a0mg of 60\u00a0mg maximum."
        ),
        "Systolic 164 at 14:15, above limit 160; 152 at 14:20.",
        "Event: Nausea, mild 14:09.",
        "As needed: Ondansetron 4\u00a0mg IV 14:10.",
        "Pain 7 before, 4 after.",
        "Discharge score (MPADSS) 10 at 16:08. Left with Ivan Petrov at 16:14.",
    ]


def test_says_that_nothing_was_outside_only_where_somebody_looked():
    calm = replace(FACTS, outside=(), events=())
    assert "No value outside the limits of the order." in draft_text(calm, ZONE)
    assert "No " not in draft_text(replace(calm, is_observed=False), ZONE)


def test_tells_why_a_session_was_not_done():
    cancelled = SessionFacts(2, 6, "ketamine", None, None, Decimal(0), None, Decimal(0), not_done_reason="Fever.")
    assert draft_text(cancelled, ZONE) == "Ketamine, session 2 of 6. Not done: Fever."


def test_an_incomplete_score_has_no_number():
    assert "(MPADSS) not complete" in draft_text(replace(FACTS, score=ScoreFact(at(1), "MPADSS", None)), ZONE)


@given(st.lists(st.integers(0, 600), max_size=6), st.lists(st.integers(0, 600), max_size=6))
def test_every_event_and_every_medicine_is_told(events, given_at):
    facts = replace(
        FACTS,
        events=tuple(Happening(at(minute), f"event{n}") for n, minute in enumerate(events)),
        prn=tuple(Happening(at(minute), f"drug{n}") for n, minute in enumerate(given_at)),
    )
    text = draft_text(facts, ZONE)
    assert all(f"event{n} " in text for n in range(len(events)))
    assert all(f"drug{n} " in text for n in range(len(given_at)))


def test_units_keep_their_letters_where_events_follow_one_another():
    happened = ("Near miss. Double check failed: 20 vs 2 mL/h", "Nausea, mild")
    facts = replace(FACTS, events=tuple(Happening(at(5), text) for text in happened))
    assert facts.event_words == "near miss. Double check failed: 20 vs 2 mL/h; nausea, mild"
