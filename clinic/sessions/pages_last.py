"""The last session of the same course, in four facts beside the present one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from clinic.core.times import date_label, local
from clinic.core.units import Unit
from clinic.sessions import queries
from clinic.sessions.models import InfusionSession
from clinic.sessions.pages_log import adverse_title
from clinic.sessions.pages_words import number_of, shown_mg, shown_rate
from clinic.sessions.progress import Progress, current, progress


@dataclass(frozen=True, slots=True)
class LastSession:
    """How the last session went; `day` without its year, `facts` as (label, words)."""

    id: UUID
    number: str
    day: str
    facts: tuple[tuple[str, str], ...]


def last_session(infusion: InfusionSession, now: datetime, zone: ZoneInfo) -> LastSession | None:
    """Return the session before this one in which something was infused, or None where there is none."""
    before = queries.session_before(infusion)
    if before is None:
        return None
    going = progress(before, now)
    events = [adverse_title(row) for row in current(before.adverse_events)]
    return LastSession(
        before.id,
        number_of(before.number, before.order_version.terms),
        date_label(local(before.arrived_at, zone).date())[:6],
        (
            ("Highest", shown_rate(going.highest_rate_mg_h, Unit.MG_PER_H)),
            ("Given", shown_mg(going.delivered_mg, is_final=True)),
            ("Pain", pain_words(going) or "not asked"),
            ("Events", ", ".join(events) or "none"),
        ),
    )


def pain_words(going: Progress) -> str:
    """Return the first and the last score of pain, "7 to 3", or the only one."""
    pains = [row.pain for row in sorted(going.observations, key=lambda row: row.observed_at) if row.pain is not None]
    if not pains:
        return ""
    return f"{pains[0]} to {pains[-1]}" if len(pains) > 1 else str(pains[0])
