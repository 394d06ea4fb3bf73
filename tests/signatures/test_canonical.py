import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.signatures.rules import canonical, digest

contents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"))
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
    | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
mappings = st.dictionaries(st.text(st.characters(codec="utf-8")), contents, max_size=4)


class Word(StrEnum):
    ACTIVE = "active"


def test_the_text_is_written_byte_for_byte():
    content = {
        "weight_kg": Decimal("68.00"),
        "at": datetime(2026, 3, 4, 9, 0, tzinfo=timezone(timedelta(hours=-5))),
        "drug": "ketamine ≥",
        "on": date(2026, 3, 4),
        "id": UUID(int=5),
        "status": Word.ACTIVE,
        "steps": (1, None, True),
    }
    assert canonical(content) == (
        '{"at":"2026-03-04T14:00:00.000000Z","drug":"ketamine ≥","id":"00000000-0000-0000-0000-000000000005",'
        '"on":"2026-03-04","status":"active","steps":[1,null,true],"weight_kg":"68"}'
    )


@given(mappings)
def test_the_order_of_the_names_does_not_matter(content):
    assert canonical(dict(reversed(content.items()))) == canonical(content)


@given(mappings)
def test_the_text_is_json_and_survives_a_second_writing(content):
    text = canonical(content)
    assert canonical(json.loads(text)) == text


@given(mappings, mappings)
def test_different_contents_have_different_digests(one, other):
    assert (canonical(one) == canonical(other)) is (digest(canonical(one)) == digest(canonical(other)))


@pytest.mark.parametrize(
    ("written", "text"), [("5.0", "5"), ("5", "5"), ("5E+2", "500"), ("0.350", "0.35"), ("-0.0", "0")]
)
def test_one_dose_has_one_text(written, text):
    assert canonical({"dose": Decimal(written)}) == f'{{"dose":"{text}"}}'


@given(st.datetimes(timezones=st.timezones()))
def test_one_instant_has_one_text_in_every_zone(instant):
    try:
        same = instant.astimezone(UTC)
    except OverflowError:
        return
    assert canonical({"at": instant}) == canonical({"at": same})


@pytest.mark.parametrize(
    "value",
    [
        0.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), {1, 2}, b"bytes", {1: "one"}, object(),
        datetime(2026, 1, 1),  # noqa: DTZ001 -- what is refused
    ],
)  # fmt: skip
def test_refuses_what_has_no_single_text(value):
    with pytest.raises(TypeError):
        canonical({"value": [value]})


def test_the_digest_is_sha256_of_the_utf8_text():
    assert digest("é") == hashlib.sha256("é".encode()).hexdigest()
