"""Which note may follow which, and which waits for a physician."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.notes.rules import FOLLOWING, SIGNED, NoteKind, NoteStatus, may_become, needs_cosignature, why_not_follow


@pytest.mark.parametrize("then", NoteStatus)
def test_a_cosigned_note_never_changes_its_state(then):
    assert not may_become(NoteStatus.COSIGNED, then)


@given(st.sampled_from(sorted(SIGNED)), st.sampled_from(NoteStatus))
def test_a_signed_note_never_becomes_a_draft_again(now, then):
    if may_become(now, then):
        assert then in SIGNED


def test_only_a_session_note_of_somebody_who_cannot_cosign_waits():
    waiting = {(kind, may) for kind in NoteKind for may in (True, False) if needs_cosignature(kind, may_cosign=may)}
    assert waiting == {(NoteKind.SESSION, False)}


@given(st.sampled_from(NoteKind), st.sampled_from(NoteStatus), st.booleans())
def test_what_follows_is_an_addendum_or_the_authors_correction_to_a_signed_note(kind, status, is_author):
    allowed = why_not_follow(kind, status, is_author=is_author) is None
    assert allowed is (kind in FOLLOWING and status in SIGNED and (is_author or kind is NoteKind.ADDENDUM))
