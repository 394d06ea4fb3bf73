"""Which note may follow which, and which waits for a physician."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.core.permissions import Role
from clinic.notes.rules import FOLLOWING, SIGNED, NoteKind, NoteStatus, may_become, needs_cosignature, why_not_follow


@pytest.mark.parametrize("then", NoteStatus)
def test_a_cosigned_note_never_changes_its_state(then):
    assert not may_become(NoteStatus.COSIGNED, then)


@given(st.sampled_from(sorted(SIGNED)), st.sampled_from(NoteStatus))
def test_a_signed_note_never_becomes_a_draft_again(now, then):
    if may_become(now, then):
        assert then in SIGNED


ROLES = st.frozensets(st.sampled_from([Role.NURSE, Role.PHYSICIAN]), min_size=1)
RULES = st.dictionaries(st.tuples(st.sampled_from(Role), st.sampled_from(NoteKind)), st.booleans())


def test_as_delivered_a_nurses_session_note_waits_and_nothing_else():
    assert {kind for kind in NoteKind if needs_cosignature(kind, [Role.NURSE], {})} == {NoteKind.SESSION}
    assert not {kind for kind in NoteKind if needs_cosignature(kind, [Role.NURSE, Role.PHYSICIAN], {})}


@given(st.sampled_from(NoteKind), ROLES, RULES)
def test_the_clinics_rule_holds_and_the_freest_role_of_a_person(kind, roles, rules):
    each = {role: needs_cosignature(kind, [role], rules) for role in roles}
    assert needs_cosignature(kind, roles, rules) is all(each.values())
    assert all(needed is rules.get((role, kind), needed) for role, needed in each.items())


@given(st.sampled_from(NoteKind), st.sampled_from(NoteStatus), st.booleans())
def test_what_follows_is_an_addendum_or_the_authors_correction_to_a_signed_note(kind, status, is_author):
    allowed = why_not_follow(kind, status, is_author=is_author) is None
    assert allowed is (kind in FOLLOWING and status in SIGNED and (is_author or kind is NoteKind.ADDENDUM))
