"""What is typed about orders."""

from typing import Any

from wtforms import PasswordField
from wtforms.validators import InputRequired

from clinic.core.forms import Form


class SignForm(Form):
    password: Any = PasswordField("Sign with your password", [InputRequired("Enter your password")])
