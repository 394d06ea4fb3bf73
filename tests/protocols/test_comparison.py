"""What changed between two sets of terms: nothing left out, nothing said twice, the same from both sides."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.protocols.comparison import NOTHING, Difference, compared, differences
from clinic.protocols.limit_words import limit_lines
from clinic.protocols.rules import CheckKind
from clinic.protocols.wording import reading
from tests.protocols.drafts import CHECKS, DRAFTS, DRUGS, PRN_ITEMS

NAMES = {DRUGS[0]: "ketamine, vial", DRUGS[1]: "ketamine, bag"}


def compare(before, after):
    return differences(before, after, drugs=(NAMES[before.drug_id], NAMES[after.drug_id]))


@st.composite
def pairs(draw):
    """Terms and what became of them: some values changed, lines taken away, put in and turned."""
    before, other = draw(DRAFTS), draw(DRAFTS)
    names = draw(st.sets(st.sampled_from(list(vars(before)))))
    after = replace(before, **{name: getattr(other, name) for name in names})
    return before, replace(after, checks=tuple(draw(st.permutations(after.checks))))


@given(DRAFTS)
def test_equal_terms_differ_in_nothing(draft):
    assert compare(draft, replace(draft)) == []


@settings(max_examples=40)
@given(pairs())
def test_whatever_differs_is_said(pair):
    before, after = (replace(draft, limits=tuple(limit_lines(draft.limits))) for draft in pair)
    assert (before == after) == (compare(*pair) == [])


@settings(max_examples=40)
@given(pairs())
def test_the_comparison_is_the_same_from_both_sides(pair):
    before, after = pair
    assert compare(after, before) == [
        Difference(line.label, line.after, line.before) for line in compare(before, after)
    ]


@settings(max_examples=40)
@given(pairs())
def test_each_side_reads_as_its_version_reads(pair):
    sides = compared(*pair, drugs=("a", "b"))
    for place, draft in enumerate(pair, start=1):
        shown = [line[place] for _, lines in sides for line in lines if line.label not in {"Drug", "Maximum rate in"}]
        said = [text for _, lines in reading(draft) for _, text in lines]
        assert [text for text in shown if text != NOTHING] == said


@settings(max_examples=40)
@given(pairs())
def test_every_line_has_a_name_of_its_own(pair):
    labels = [line.label for line in compare(*pair)]
    assert len(labels) == len(set(labels))


@given(DRAFTS, st.lists(CHECKS, min_size=2, max_size=4, unique=True), st.data())
def test_a_line_taken_away_is_one_difference(draft, checks, data):
    before = replace(draft, checks=tuple(checks))
    after = replace(before, checks=tuple(check for check in checks if check != data.draw(st.sampled_from(checks))))
    assert [line.after for line in compare(before, after)] == [NOTHING] * (len(checks) - len(after.checks))


@given(DRAFTS, PRN_ITEMS)
def test_another_dose_of_a_medicine_stands_beside_the_earlier_one(draft, item):
    before, after = (replace(draft, prn_items=(replace(item, dose=Decimal(dose)),)) for dose in (1, 2))
    (line,) = compare(before, after)
    assert line.before.replace(" 1\u00a0", " 2\u00a0", 1) == line.after


def test_another_kind_of_check_and_another_vial_are_said(make_draft):
    before = make_draft()
    after = replace(
        before, drug_id=DRUGS[0], checks=(before.checks[0], replace(before.checks[1], kind=CheckKind.OTHER))
    )
    said = differences(before, after, drugs=("ketamine, vial", "ketamine, bag"))
    assert said == [
        ("Drug", "ketamine, vial", "ketamine, bag"),
        ("Before infusion 2", "Body: Weighed today · weight, stops the start", "Body: Weighed today · stops the start"),
    ]
