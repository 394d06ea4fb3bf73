"""What a bedside PIN may be, and how far it reaches."""

import re
from datetime import timedelta
from typing import Final

SHORTEST: Final = 6
LONGEST: Final = 8
# Wrong ones at one sign-in; after the last the PIN is over there, and the password is asked for.
MOST_WRONG: Final = 5
# How long after a full sign-in at a device the PIN counts there, however busy its person is.
LASTS: Final = timedelta(hours=12)

_PIN: Final = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}", re.ASCII)
# Straight up, down, around the corner, and along the rows and columns of the keys.
_RUNS: Final = ("01234567890123456789", "98765432109876543210", "147258369147258369", "963852741963852741")
_RUNS_BACK: Final = tuple(run[::-1] for run in ("147258369147258369", "963852741963852741", "789456123789456123"))
# What people choose most often besides.
_COMMON: Final = (
    *("112233", "123321", "102030", "010203", "159753", "159357", "696969", "789456", "456789", "456123"),
    *("789123", "123654", "147852", "258456", "520520", "134679", "142536", "246810", "135790", "135791"),
    *("314159", "271828", "998877", "332211", "007007", "111222", "222333", "112211", "101010"),
)
_FEWEST_DIFFERENT: Final = 3


def is_pin(secret: str) -> bool:
    """Whether this could be a PIN: no password looks like one, all have 15 characters or more."""
    return _PIN.fullmatch(secret) is not None


def pin_problem(pin: str) -> str | None:
    """Why a new PIN is refused, or None."""
    if not is_pin(pin):
        return f"Use {SHORTEST} to {LONGEST} digits."
    is_run = any(pin in run for run in (*_RUNS, *_RUNS_BACK))
    is_repeated = any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, len(pin) // 2 + 1))
    is_common = any(common in pin for common in _COMMON)
    if is_run or is_repeated or is_common or len(set(pin)) < _FEWEST_DIFFERENT or _is_a_date(pin):
        return "This PIN is among the first that somebody would try. Choose digits without order, and no date of birth."
    return None


def _is_a_date(pin: str) -> bool:
    """Whether it reads as a birthday: with the year in two digits or in four, in any usual order."""
    if len(pin) == LONGEST and not {pin[:2], pin[4:6]} & {"19", "20"}:
        return False
    if len(pin) not in {SHORTEST, LONGEST}:
        return False
    # Whatever is left after day and month is the year.
    return any(_is_day(*pair) for pair in ((pin[:2], pin[2:4]), (pin[2:4], pin[:2]), (pin[-2:], pin[-4:-2])))


def _is_day(day: str, month: str) -> bool:
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12  # noqa: PLR2004 the calendar's
