"""Slots of a day as the bits of a whole number: bit 36 set means that slot 36 is free."""

from collections.abc import Iterator
from functools import lru_cache


def span(start: int, end: int) -> int:
    """The slots from `start` up to but without `end`."""
    return ((1 << (end - start)) - 1) << start if end > start else 0


# A search asks the same of the same days again and again.
@lru_cache(maxsize=1 << 15)
def starts(free: int, length: int) -> int:
    """The slots from which `length` slots in a row are free."""
    have = 1
    while have < length:
        step = min(have, length - have)
        free &= free >> step
        have += step
    return free if length else -1


def slots(mask: int) -> Iterator[int]:
    """The slots of a mask, earliest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
