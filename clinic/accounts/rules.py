"""Decisions about accounts on plain values."""

from enum import StrEnum


class StaffStatus(StrEnum):
    """Whether a person can sign in. A disabled person's name stays on every record."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"
