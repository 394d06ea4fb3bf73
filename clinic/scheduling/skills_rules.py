"""Which nurses may look after patients of a drug, on plain values."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar

Who_co = TypeVar("Who_co", covariant=True)


class Skill(Protocol[Who_co]):
    """A nurse knows a drug, between two dates."""

    @property
    def staff_id(self) -> Who_co: ...
    @property
    def drug_name(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


def able_on(skills: Iterable[Skill[Who_co]], drug_name: str, on: date) -> set[Who_co] | None:
    """Return who may look after patients of a drug on a day; None where the drug asks for no skill then.

    A drug asks for one as soon as it is written down for anybody.
    """
    known = {
        each.staff_id
        for each in skills
        if each.drug_name == drug_name
        and each.valid_from <= on
        and (each.valid_until is None or on <= each.valid_until)
    }
    return known or None
