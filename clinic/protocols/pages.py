"""What every page that writes terms shows beside its fields."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import request
from werkzeug.datastructures import MultiDict

from clinic.core.units import BadNumber
from clinic.protocols.comparison import was_texts
from clinic.protocols.limit_words import LEVEL_WORDS, VITAL_WORDS, limit_cell
from clinic.protocols.models import ProtocolStep, ProtocolVersion
from clinic.protocols.rules import DoseBasis, LimitLevel, ProtocolStatus, Vital
from clinic.protocols.terms import TermsDraft
from clinic.protocols.terms_form import ROWS, TermsForm
from clinic.protocols.wording import GROUPS, LINES, check_text, phase_text, prn_text, unit_label

_NOBODY: Final = uuid.UUID(int=0)
_LINE_ACT: Final = re.compile(rf"(more|less|up)-({'|'.join(ROWS)})(?:-(\d{{1,4}}))?", re.ASCII)

_STATES: Final = {
    ProtocolStatus.DRAFT: "draft",
    ProtocolStatus.REVIEW: "in review",
    ProtocolStatus.ACTIVE: "in use",
    ProtocolStatus.RETIRED: "retired",
}
panels: Final[dict[str, Callable[[ProtocolVersion], Mapping[str, object]]]] = {}
"""Templates of the page of a version, each with what tells it its facts: higher areas put theirs in."""


def state_word(version: ProtocolVersion) -> str:
    """How a version stands; one that was never in use was dropped."""
    if version.status is ProtocolStatus.RETIRED and version.approved_at is None:
        return "dropped"
    return _STATES[version.status]


def step_words(step: ProtocolStep) -> str:
    """What happened to a version: "sent to review"."""
    match (step.from_status, step.to_status):
        case None, _:
            return "begun"
        case ProtocolStatus.REVIEW, ProtocolStatus.DRAFT:
            return "sent back"
        case _, ProtocolStatus.DRAFT:
            return "written"
        case _, ProtocolStatus.REVIEW:
            return "sent to review"
        case _, ProtocolStatus.ACTIVE:
            return "signed into use"
        case ProtocolStatus.ACTIVE, _:
            return "retired"
        case _:
            return "dropped"


def asks_for_more_rows(form: TermsForm) -> bool:
    """Whether a button for a line was pressed: another one, this one away, this one up. Then nothing is saved."""
    found = _LINE_ACT.fullmatch(request.form.get("act", ""))
    if found is None:
        return False
    act, name, place = found.groups()
    if act == "more" and not place:
        form.add_blank_rows((name,))
    elif act != "more" and place:
        form.process(_rearranged(request.form, act, name, int(place)))
    return True


def _rearranged(sent: MultiDict[str, str], act: str, name: str, place: int) -> MultiDict[str, str]:
    """What was sent, without one line, or with it and the line before it exchanged."""
    places = sorted({int(found[1]) for key in sent if (found := re.match(rf"{name}-(\d{{1,4}})-", key, re.ASCII))})
    before = max((other for other in places if other < place), default=place)
    renamed = {place: before, before: place} if act == "up" else {}

    def key_of(key: str) -> str | None:
        found = re.match(rf"{name}-(\d{{1,4}})-(.*)", key, re.ASCII)
        if found is None:
            return key
        if act == "less" and int(found[1]) == place:
            return None
        return f"{name}-{renamed.get(int(found[1]), int(found[1]))}-{found[2]}"

    pairs = ((key_of(key), value) for key, value in sent.items(multi=True))
    return MultiDict([(key, value) for key, value in pairs if key is not None])


def typed_draft(form: TermsForm) -> TermsDraft | None:
    """The terms as far as they can be read from the form, without any error shown; None when they cannot."""
    try:
        return form.draft()
    except (ValueError, TypeError, KeyError, BadNumber):
        return None


def terms_page(form: TermsForm, reference: TermsDraft | None, *, word: str) -> dict[str, Any]:
    """Units, and what differs from `reference` ("protocol 15", "was 30"), for the fields of a form."""
    for name in ROWS:
        if not form[name].entries:
            form.add_blank_rows((name,))
    draft = typed_draft(form)
    was = was_texts(reference, draft, word=word) if reference and draft else {}
    return {
        "groups": GROUPS,
        "units": {name: unit_label(_units(form), name) for name in LINES},
        "was": dict(was) | _limits_was(reference, draft, word=word),
        "rows_was": _rows_was(reference, draft),
        "levels": list(LEVEL_WORDS.items()),
        "vitals": [(vital, *words) for vital, words in VITAL_WORDS.items()],
        "word": word,
    }


def _units(form: TermsForm) -> TermsDraft | None:
    try:
        basis = DoseBasis(form.basis.data)
        maximum = DoseBasis(form.maximum_rate_unit.data) if form.maximum_rate_unit.data else None
    except ValueError:
        return None
    return TermsDraft(drug_id=_NOBODY, basis=basis, maximum_rate_unit=maximum)


def _limits_was(reference: TermsDraft | None, draft: TermsDraft | None, *, word: str) -> dict[str, str]:
    if reference is None or draft is None:
        return {}
    found = {}
    for level in LimitLevel:
        for vital in Vital:
            old = limit_cell(reference.limits, level, vital)
            if old != limit_cell(draft.limits, level, vital):
                found[f"limit_{level}_{vital}"] = f"{word} {old or 'none'}"
    return found


def _rows_was(reference: TermsDraft | None, draft: TermsDraft | None) -> dict[str, list[str]]:
    """The lines of the reference, for the repeated parts that differ."""
    if reference is None or draft is None:
        return {}
    found = {}
    if reference.prn_items != draft.prn_items:
        found["prn_items"] = [prn_text(item) for item in reference.prn_items]
    if reference.phases != draft.phases:
        found["phases"] = [phase_text(phase) for phase in reference.phases]
    if reference.checks != draft.checks:
        found["checks"] = [check_text(check) for check in reference.checks]
    return found


def changed_count(page: dict[str, Any]) -> int:
    """How many values differ from the reference."""
    return len(page["was"]) + len(page["rows_was"])
