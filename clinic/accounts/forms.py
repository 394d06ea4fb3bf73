"""What people type about accounts."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from wtforms import EmailField, Field, HiddenField, PasswordField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the published types
from wtforms.form import BaseForm
from wtforms.validators import Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.accounts import pin_rules
from clinic.accounts.models import Staff
from clinic.accounts.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD
from clinic.core.choices import left_open, options
from clinic.core.forms import Form
from clinic.core.permissions import Role

_EMAIL = re.compile(r"[!-?A-~]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE)
_LONGEST_EMAIL = 254
_LONGEST_NAME = 80

ROLE_WORDS = {
    Role.NURSE: "Nurse",
    Role.PHYSICIAN: "Physician",
    Role.SCHEDULER: "Scheduler",
    Role.ADMIN: "Admin",
    Role.AUDITOR: "Auditor",
}


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


def text(field: Field) -> str:
    """What stands in a text field, the empty string when nothing does."""
    return str(field.data or "")


def _filled(message: str) -> Callable[[BaseForm, Field], None]:
    def check(_form: BaseForm, field: Field) -> None:
        if not field.data:
            raise StopValidation(message)

    return check


def _plain_text(_form: BaseForm, field: Field) -> None:
    """Letters, marks, digits and punctuation of any script; nothing that only a machine sees."""
    if any(unicodedata.category(letter).startswith("C") for letter in field.data or ""):
        raise StopValidation("Leave out the invisible characters")


def _an_email(_form: BaseForm, field: Field) -> None:
    if len(field.data or "") > _LONGEST_EMAIL or not _EMAIL.fullmatch(field.data or ""):
        raise StopValidation("Enter an e-mail address such as nora.quill@clinic.example")


class _Text(StringField):
    def __init__(self, label: str, *validators: Any, longest: int = _LONGEST_NAME, **kwargs: Any) -> None:
        limit = Length(max=longest, message=f"Use at most {longest} characters")
        super().__init__(label, [*validators, limit, _plain_text], filters=[_stripped], **kwargs)


class _Secret(PasswordField):
    def __init__(self, label: str, message: str, **kwargs: Any) -> None:
        super().__init__(label, [_filled(message)], **kwargs)


class _Roles(SelectMultipleField):
    """One box for each role that the giver may give."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    offered: frozenset[str] = frozenset()

    def pre_validate(self, form: BaseForm) -> None:
        if not self.data:
            raise StopValidation("Choose at least one role")
        if not self.offered.issuperset(self.data):
            raise StopValidation("You cannot give this role")

    @property
    def roles(self) -> frozenset[Role]:
        """The chosen roles; asked only after validation."""
        return frozenset(Role(value) for value in self.data or [])


class SignInForm(Form):
    email = EmailField("E-mail", [_filled("Enter your e-mail address")], filters=[_stripped])
    password = _Secret("Password", "Enter your password")
    next = HiddenField()


class UnlockForm(Form):
    """The PIN, where it counts, or the password."""

    pin = PasswordField("PIN")
    password = PasswordField("Password")
    next = HiddenField()

    @property
    def secret(self) -> str:
        """What was given."""
        return text(self.password) or text(self.pin).strip()

    def validate_password(self, field: Field) -> None:
        if not self.secret:
            raise StopValidation("Enter your password")
        if not field.data and not pin_rules.is_pin(self.secret):
            raise StopValidation(f"A PIN has {pin_rules.SHORTEST} to {pin_rules.LONGEST} digits")


class PinForm(Form):
    pin_password = _Secret("Your password", "Enter your password")
    pin = _Secret("New PIN", "Enter the digits of the new PIN")
    pin_again = _Secret("The same PIN again", "Enter the PIN again")

    def validate_pin_again(self, field: Field) -> None:
        if field.data != self.pin.data:
            raise StopValidation("The two are not the same")


class FactorForm(Form):
    code = _Text("Code from the app, or a recovery code", _filled("Enter the code that the app shows now"), longest=40)
    next = HiddenField()


class NewFactorForm(Form):
    code = _Text("Code from the app", _filled("Enter the code that the app shows now"), longest=40)


class FactorResetForm(Form):
    proof = _Text("How you made sure who asks", _filled("Say how, for example: came in person"), longest=200)
    own_password = _Secret("Your own password", "Enter your own password")
    second_id = RadioField("Who stands behind it too", [left_open()])
    password = PasswordField("That admin's own password")

    def offer(self, people: Iterable[Staff]) -> None:
        """Offer the other admins; nobody is chosen."""
        self.second_id.choices = options({str(one.id): one.name for one in people})


class FactorRolesForm(Form):
    roles = SelectMultipleField(
        "Second factor needed by",
        choices=[SelectChoice(value=role.value, label=words) for role, words in ROLE_WORDS.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class NewPasswordForm(Form):
    new = _Secret("New password", f"Enter at least {SHORTEST_PASSWORD} characters")
    again = _Secret("The same again", "Enter the new password again")

    def validate_new(self, field: Field) -> None:
        if len(field.data) > LONGEST_PASSWORD:
            raise StopValidation(f"Use at most {LONGEST_PASSWORD} characters")

    def validate_again(self, field: Field) -> None:
        if field.data != self.new.data:
            raise StopValidation("The two are not the same")


class ChangePasswordForm(NewPasswordForm):
    current = _Secret("Current password", "Enter the password that you sign in with now")


class RolesForm(Form):
    roles = _Roles("Roles")

    def offer(self, roles: Iterable[Role]) -> None:
        """The roles that the person at the screen may give."""
        self.roles.offered = frozenset(roles)
        self.roles.choices = [(role.value, words) for role, words in ROLE_WORDS.items() if role in self.roles.offered]


class PersonForm(RolesForm):
    given_name = _Text("Given name", _filled("Enter the given name"))
    family_name = _Text("Family name", _filled("Enter the family name"))
    title = _Text("Title", Optional(), longest=20)
    credentials = _Text("Credentials", Optional(), longest=40)
    email = EmailField("E-mail", [_an_email], filters=[_stripped])


class DisableForm(Form):
    reason = _Text("Why", _filled("Say why, for example: left the clinic"), longest=200)
