"""Code 39, which every hand-held scanner reads: five bars and four gaps a character, three of the nine wide."""

from typing import Final

_WIDE, _NARROW = 3, 1
_PATTERNS: Final = dict(
    pair.split("=")
    for pair in [
        "0=nnnwwnwnn",
        "1=wnnwnnnnw",
        "2=nnwwnnnnw",
        "3=wnwwnnnnn",
        "4=nnnwwnnnw",
        "5=wnnwwnnnn",
        "6=nnwwwnnnn",
        "7=nnnwnnwnw",
        "8=wnnwnnwnn",
        "9=nnwwnnwnn",
        "A=wnnnnwnnw",
        "B=nnwnnwnnw",
        "C=wnwnnwnnn",
        "D=nnnnwwnnw",
        "E=wnnnwwnnn",
        "F=nnwnwwnnn",
        "G=nnnnnwwnw",
        "H=wnnnnwwnn",
        "I=nnwnnwwnn",
        "J=nnnnwwwnn",
        "K=wnnnnnnww",
        "L=nnwnnnnww",
        "M=wnwnnnnwn",
        "N=nnnnwnnww",
        "O=wnnnwnnwn",
        "P=nnwnwnnwn",
        "Q=nnnnnnwww",
        "R=wnnnnnwwn",
        "S=nnwnnnwwn",
        "T=nnnnwnwwn",
        "U=wwnnnnnnw",
        "V=nwwnnnnnw",
        "W=wwwnnnnnn",
        "X=nwnnwnnnw",
        "Y=wwnnwnnnn",
        "Z=nwwnwnnnn",
        "*=nwnnwnwnn",
    ]
)


def bars(text: str) -> tuple[list[tuple[int, int]], int]:
    """Return the bars of a text as (place, width) in narrow bars, and the width of all of it.

    Raises `ValueError` for a character that is no capital letter or digit.
    """
    if not text or set(text) - (set(_PATTERNS) - {"*"}):
        raise ValueError("Code 39 here holds capital letters and digits.")
    found: list[tuple[int, int]] = []
    place = 0
    for character in f"*{text}*":
        for number, element in enumerate(_PATTERNS[character]):
            width = _WIDE if element == "w" else _NARROW
            if number % 2 == 0:
                found.append((place, width))
            place += width
        place += _NARROW  # the gap between two characters
    return found, place - _NARROW
