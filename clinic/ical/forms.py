"""What is typed about calendars."""

from typing import Any, Final

from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from clinic.core.choices import options
from clinic.core.forms import Form
from clinic.core.sharing import TellsNames

_NAMES: Final = {
    TellsNames.NOTHING: "not at all",
    TellsNames.INITIALS: "by initials",
    TellsNames.NAMES: "by name",
}


class SharingForm(Form):
    calendars_tell = RadioField(
        "How a calendar of staff or of a chair names the patient",
        [InputRequired("Choose one")],
        choices=options(_NAMES),
    )
    calendars_tell_drug = BooleanField("Calendars of nurses and physicians name the drug of the course")
    calendars_tell_place = BooleanField("Calendars of patients say where")
    mails_tell_drug = BooleanField("Mails to patients may name the drug")
    mails_tell_changes = BooleanField("Patients who agreed are written to when a time is booked, moved or cancelled")
    reason = StringField(
        "Why",
        [InputRequired("Say why"), Length(max=500, message="At most 500 letters")],
        filters=[lambda text: (text or "").strip() or None],
    )

    @property
    def values(self) -> dict[str, Any]:
        """What was decided, by the name of the clinic's setting."""
        return {
            "calendars_tell": TellsNames(self.calendars_tell.data),
            "calendars_tell_drug": bool(self.calendars_tell_drug.data),
            "calendars_tell_place": bool(self.calendars_tell_place.data),
            "mails_tell_drug": bool(self.mails_tell_drug.data),
            "mails_tell_changes": bool(self.mails_tell_changes.data),
        }

    def in_words(self, changed: dict[str, Any]) -> str:
        """A change as the trail keeps it, in the words of this form."""
        words: dict[Any, str] = {True: "yes", False: "no"} | {str(key): text for key, text in _NAMES.items()}
        return "; ".join(
            f"{self[name].label.text}: {words.get(value, value)}" for name, value in changed.items() if name in self
        )
