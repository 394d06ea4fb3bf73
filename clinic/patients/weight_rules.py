"""Is a weight odd beside the last one? Pounds typed as kilograms is the classic twofold error (REFERENCE 0.3)."""

from decimal import Decimal
from typing import Final

from clinic.core.findings import Finding, FindingLevel
from clinic.core.units import Unit, exact, format_number, format_quantity, round_half_up

# Pounds typed as kilograms, or back.
LOOKS_LIKE_POUNDS: Final = (Decimal("2.0"), Decimal("2.4"))


@exact
def check_weight(today_kg: Decimal, last_kg: Decimal | None, change_pct: Decimal | None) -> list[Finding]:
    """Return what is odd about today's weight: it looks like pounds, or differs by more than `change_pct`."""
    if last_kg is None or last_kg <= 0 or today_kg <= 0:
        return []
    findings = []
    change = (today_kg - last_kg) * 100 / last_kg
    signed = f"{'+' if change > 0 else ''}{format_number(round_half_up(change, 1))}%"
    today, last = format_quantity(today_kg, Unit.KG), format_quantity(last_kg, Unit.KG)
    facts = {
        "today_kg": format_number(today_kg),
        "last_kg": format_number(last_kg),
        "change_pct": format_number(round_half_up(change, 1)),
    }
    if LOOKS_LIKE_POUNDS[0] <= max(today_kg, last_kg) / min(today_kg, last_kg) <= LOOKS_LIKE_POUNDS[1]:
        pounds = "today's weight" if today_kg > last_kg else "the last weight"
        message = f"Today {today}, last time {last}: {pounds} looks like pounds."
        findings.append(Finding("weight-looks-like-pounds", FindingLevel.HARD, message, facts))
    if change_pct is not None and abs(change) > change_pct:
        message = f"Today {today}, last time {last}: a change of {signed}, more than {format_number(change_pct)}%."
        findings.append(
            Finding("weight-changed", FindingLevel.HARD, message, facts | {"limit_pct": format_number(change_pct)})
        )
    return findings
