"""Forms of the sheet for adverse events: what, how bad, what was done, and that it is over."""

from typing import Final

from wtforms import SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.core.choices import left_open
from clinic.sessions.event_rules import Actuality
from clinic.sessions.forms_acts import SHORT, TimedForm, choices, one_of, options, text

# The pick list of the domain reference 2.5, shortened to what fits one glance; other words are typed.
TERMS: Final = (
    "Nausea", "Vomiting", "Dizziness", "Dissociation", "Anxiety", "Drowsy", "Headache", "BP high", "BP low",
    "SpO2 low", "Slow breathing", "Palpitations", "Tingling", "Line problem", "Other",
)  # fmt: skip
DONE: Final = ("Watched", "Rate lowered", "Paused", "Drug given", "Oxygen", "Physician told")
CAUSES: Final = ("Certain", "Probably-Likely", "Possible", "Unlikely", "Conditional", "Unassessable")
SERIOUS: Final = ("death", "life-threatening", "hospital", "disability", "birth defect", "intervention needed")


class EventForm(TimedForm):
    """An adverse event: what, how bad, what was done."""

    actuality = one_of(
        "Did it reach the patient", [(Actuality.ACTUAL.value, "Yes"), (Actuality.POTENTIAL.value, "Near miss")]
    )
    term = one_of("What", choices(TERMS))
    other = text("In other words", SHORT)
    grade = one_of("How bad", [("1", "Mild"), ("2", "Moderate"), ("3", "Severe")])
    worse = one_of("Worse than severe", [("4", "Life-threatening"), ("5", "Fatal")])
    done = SelectMultipleField(
        "What was done",
        choices=options(choices(DONE)),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    detail = text("More")
    serious_criterion = SelectField(
        "Serious because of", [left_open()], choices=options([("", "not serious"), *choices(SERIOUS)])
    )
    causality = SelectField(
        "Caused by the drug", [left_open()], choices=options([("", "not judged"), *choices(CAUSES)])
    )

    @property
    def named(self) -> str:
        """The event's name: what was typed wins over the grid."""
        typed = (self.other.data or "").strip()
        chosen = self.term.data or ""
        return typed or ("" if chosen == "Other" else chosen)

    @property
    def graded(self) -> int | None:
        """The grade, 1 to 5."""
        chosen = self.worse.data or self.grade.data
        return int(chosen) if chosen else None


class OverForm(TimedForm):
    """That an adverse event is over."""

    reason = text("What changed")
