"""Terms as a browser sends them."""

from decimal import Decimal
from enum import Enum

from clinic.core.units import format_number
from clinic.protocols.limit_words import limit_cell
from clinic.protocols.session_doses import amounts_typed
from clinic.protocols.spacing_words import gaps_text, reviews_typed, weekdays_text
from clinic.protocols.terms_form import form_values


def filled(draft):
    """Every field of the form of a draft, as the person would have typed it."""
    sent = {}
    for name, value in form_values(draft).items():
        if name.startswith("limit_"):
            sent[name] = limit_cell(value, value[0].level, value[0].vital) if value else ""
        elif isinstance(value, list):
            for place, row in enumerate(value):
                sent |= {f"{name}-{place}-{inner}": text for inner, item in row.items() if (text := _text(item))}
        else:
            sent[name] = _text(value, name)
    return sent


def _text(value, name=""):
    match value:
        case None | False:
            return ""
        case True:
            return "y"
        case Enum():
            return str(value.value)
        case Decimal():
            return format_number(value).replace(",", "")
        case tuple():
            return {"weekdays": weekdays_text, "review_after": reviews_typed, "session_amounts": amounts_typed}.get(
                name, gaps_text
            )(value)
        case _:
            return str(value)
