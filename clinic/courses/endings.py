"""Who above courses has something to end when a course ends; in the same transaction, so that neither stands alone."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from clinic.accounts.models import Staff
from clinic.courses.models import Course
from clinic.courses.rules import CourseStatus

Ending = Callable[[Course, Staff, datetime], None]

OVER: Final = frozenset({CourseStatus.COMPLETED, CourseStatus.REVOKED, CourseStatus.ENTERED_IN_ERROR})
_endings: list[Ending] = []


def end_with_course(ending: Ending) -> Ending:
    """Let an area end its own when a course is over. The clinical record is none of it."""
    _endings.append(ending)
    return ending


def tell(course: Course, *, by: Staff, at: datetime) -> None:
    """Let everybody end theirs."""
    for ending in _endings:
        ending(course, by, at)
