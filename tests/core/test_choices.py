"""A choice that may stay open."""

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form, RadioField, SelectField

from clinic.core.choices import left_open, options

WORDS = {"actual": "happened", "potential": "could have happened"}


class Asked(Form):
    kind = RadioField("Kind", [left_open()], choices=options(WORDS))
    cause = SelectField("Cause", [left_open()], choices=options(WORDS, blank=True))


@pytest.mark.parametrize("sent", [{}, {"kind": "", "cause": ""}, {"kind": "actual", "cause": "potential"}])
def test_an_offered_answer_or_none_is_taken(sent):
    assert Asked(MultiDict(sent)).validate()


@pytest.mark.parametrize("answer", [" ", "\t", "\u3000", "actual ", "other"])
@pytest.mark.parametrize("name", ["kind", "cause"])
def test_what_nobody_offered_is_refused_blanks_too(name, answer):
    form = Asked(MultiDict({name: answer}))
    assert not form.validate()
    assert set(form.errors) == {name}
