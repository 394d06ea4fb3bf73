"""Whatever is done to a case file, it is read or refused."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.cases.reading import CaseFault
from clinic.cases.schema import read_cases
from tests.cases.case_files import BASE, FILES

FULL = (FILES / "transfer.yaml").read_text()
SNIPPETS = [
    "null",
    "[]",
    "{}",
    "-1",
    ".inf",
    "1e99",
    '""',
    "[[",
    "]",
    ": ",
    "&a",
    "*a",
    "!!x y",
    "2026-11-01T01:30",
    "\t",
    "<<",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data):
    text = FULL
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 1, 3, 12, 200]))
        text = text[:begin] + data.draw(st.sampled_from(SNIPPETS) | st.text(max_size=4)) + text[begin + length :]
    try:
        read_cases(text)
    except CaseFault as fault:
        assert str(fault).startswith("cases.yaml:")  # noqa: PT017 either outcome is right
        assert "\n" not in str(fault)  # noqa: PT017


@st.composite
def values(draw):
    """A flow-style YAML value of any shape."""
    scalar = st.sampled_from(
        ["null", "0", "-3", "1.5", ".nan", "true", "word", '"2026-11-01T01:30"', "RN-1", "[]", "{}"]
    )
    nested = st.recursive(
        scalar,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda of: f"[{', '.join(of)}]")
            | st.dictionaries(st.sampled_from(["at", "mg", "kind", "from", "to", "term"]), inner, max_size=3).map(
                lambda of: "{" + ", ".join(f"{key}: {value}" for key, value in of.items()) + "}"
            )
        ),
        max_leaves=6,
    )
    return draw(nested)


KEYS = [
    *("cs_log", "obs", "events", "infusion", "boluses", "corrections", "adverse_event", "near_miss", "discharge"),
    *(
        "follow_up",
        "transfer",
        "count",
        "discrepancy",
        "gates",
        "course",
        "order_v2",
        "expect",
        "obs_columns",
        "sessions",
    ),
]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), values(), min_size=1, max_size=3))
def test_a_part_of_any_shape_is_read_or_refused(parts):
    kept = [line for line in BASE.splitlines() if line.strip().partition(":")[0] not in parts or line[0] != " "]
    text = "\n".join([*kept, *(f"  {key}: {value}" for key, value in parts.items())])
    try:
        read_cases(text)
    except CaseFault as fault:
        assert str(fault).startswith("cases.yaml:")  # noqa: PT017 either outcome is right
