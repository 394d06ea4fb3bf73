"""Spoken orders in words."""

from typing import Final

from clinic.orders.rules import SpokenMode

MODE_WORDS: Final = {SpokenMode.VERBAL: "face to face", SpokenMode.TELEPHONE: "by telephone"}
MODE_TITLES: Final = {None: "Spoken order", SpokenMode.VERBAL: "Verbal order", SpokenMode.TELEPHONE: "Telephone order"}
OVERDUE: Final = "Signature overdue."
