"""What differs between two sets of terms, line by line in words.

Repeated lines (medicines, vitals, checks) are matched by what they say, never by their place: taking one line away is
one difference, not a difference in every line below it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from clinic.core.units import format_number
from clinic.protocols.terms import TermsDraft
from clinic.protocols.wording import GROUPS, LINES, LISTS, ListLine, list_lines, value_text

NOTHING = "–"


class Difference(NamedTuple):
    """A line of two terms, each with its unit; "–" stands for nothing."""

    label: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Whether the two differ."""
        return self.before != self.after


def differences(before: TermsDraft, after: TermsDraft, *, drugs: tuple[str, str]) -> list[Difference]:
    """Return what differs between two terms; `drugs` are the drugs before and after in words (`drug_text`)."""
    return [line for _, lines in compared(before, after, drugs=drugs) for line in lines if line.is_changed]


def compared(before: TermsDraft, after: TermsDraft, *, drugs: tuple[str, str]) -> list[tuple[str, list[Difference]]]:
    """Return every line of two terms beside each other, in the groups in which they are read."""
    old_lists, new_lists = list_lines(before), list_lines(after)
    groups = []
    for title, lines in GROUPS:
        found = [Difference("Drug", *drugs)] if title == "Infusion" else []
        for line in lines:
            old, new = value_text(before, line.name), value_text(after, line.name)
            if (old or new) and not (line.name == "maximum_rate_unit" and old == new):  # it stands in the rate
                found.append(Difference(line.label, old or NOTHING, new or NOTHING))
        if title in LISTS:
            found += _beside(title, old_lists[title], new_lists[title])
        if found:
            groups.append((title, found))
    return groups


def _beside(title: str, old: Sequence[ListLine], new: Sequence[ListLine]) -> list[Difference]:
    return [
        Difference(
            (one or other or ListLine("", frozenset())).label or f"{title} {place}",
            one.text if one else NOTHING,
            other.text if other else NOTHING,
        )
        for place, (one, other) in enumerate(matched(old, new), start=1)
    ]


Pair = tuple[ListLine | None, ListLine | None]


def matched(old: Sequence[ListLine], new: Sequence[ListLine]) -> list[Pair]:
    """Return the lines of both sides in pairs, in order: the same text, the same thing said otherwise, or alone.

    Of all ways to do that it takes one with the fewest differences, and for the two sides exchanged the same one.
    """
    if [line.text for line in new] < [line.text for line in old]:
        return [(one, other) for other, one in matched(new, old)]

    @cache
    def best(i: int, j: int) -> tuple[int, tuple[Pair, ...]]:
        if i == len(old) or j == len(new):
            rest = (*((line, None) for line in old[i:]), *((None, line) for line in new[j:]))
            return 2 * len(rest), rest
        ways = []
        if old[i].about & new[j].about:
            cost, rest = best(i + 1, j + 1)
            ways.append((cost + (old[i].text != new[j].text), ((old[i], new[j]), *rest)))
        cost, rest = best(i + 1, j)
        ways.append((cost + 2, ((old[i], None), *rest)))
        cost, rest = best(i, j + 1)
        ways.append((cost + 2, ((None, new[j]), *rest)))
        return min(ways, key=lambda way: way[0])

    # From the end on, so that a long list does not go deep.
    for i in range(len(old), -1, -1):
        for j in range(len(new), -1, -1):
            best(i, j)
    return list(best(0, 0)[1])


def was_texts(reference: TermsDraft, terms: TermsDraft, *, word: str) -> Mapping[str, str]:
    """Return for each plain value that differs what it was, for its field: "protocol 15", "was 30"."""
    found = {}
    for name in LINES:
        old, new = value_text(reference, name), value_text(terms, name)
        if old != new:
            value = getattr(reference, name)
            is_bare = (
                isinstance(value, Decimal | int) and not isinstance(value, bool) and reference.basis is terms.basis
            )
            found[name] = f"{word} {format_number(value) if is_bare else old or 'not set'}"
    return found
