"""Which nurses the optimiser may give to a course: those who know its drug, where the clinic asks for that."""

import uuid
from collections.abc import Iterable, Mapping

from clinic.scheduling import queries
from clinic.scheduling.situation import Situation

Able = Mapping[int, frozenset[int]]
"""By day, the nurses who may be given; a day that is missing asks for no skill."""


def able_of(situation: Situation, course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Able]:
    """By course, whom the drug of its order leaves; nothing is read where no skill is written down."""
    if not situation.resources.skills:
        return {}
    return {key: situation.able(fact.drug_name) for key, fact in queries.course_facts(course_ids).items()}
