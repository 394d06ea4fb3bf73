"""Shapes for the charts that the server draws: geometry here, the look in the style sheet's classes.

A template turns each shape into one SVG element (`templates/components/shapes.html`). Pixels are floats: they are
places on a screen, not clinical quantities, and nothing is ever computed back from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from clinic.core.units import NO_BREAK_SPACE

Anchor = Literal["start", "middle", "end"]


class _Rounded:
    """A tenth of a pixel is finer than any screen and keeps the page small."""

    __slots__: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, float):
                rounded = round(value, 1)
                object.__setattr__(self, name, int(rounded) if rounded.is_integer() else rounded)


@dataclass(frozen=True, slots=True)
class Line(_Rounded):
    """A straight line; `kind` is its class, here and below."""

    tag: ClassVar = "line"
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Rect(_Rounded):
    """A rectangle from its upper left corner."""

    tag: ClassVar = "rect"
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Hatch(_Rounded):
    """A rectangle filled with the hatching that the component defines: a pattern, so it reads without colour."""

    tag: ClassVar = "hatch"
    kind: ClassVar = "hatch"
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Circle(_Rounded):
    """A circle around its middle."""

    tag: ClassVar = "circle"
    kind: str
    cx: float
    cy: float
    r: float


@dataclass(frozen=True, slots=True)
class Path(_Rounded):
    """Anything else, in SVG path commands."""

    tag: ClassVar = "path"
    kind: str
    d: str


@dataclass(frozen=True, slots=True)
class Text(_Rounded):
    """Words or a number with its base line at `y`; `x` is the end or the middle that `anchor` names."""

    tag: ClassVar = "text"
    kind: str
    x: float
    y: float
    text: str
    anchor: Anchor = "start"

    @property
    def size(self) -> int:
        """The height of the letters in px, as the style sheet sets it for this kind."""
        return _SIZES.get(self.kind.split(maxsplit=1)[0], 12) if "lg" not in self.kind else 15

    @property
    def span(self) -> tuple[float, float]:
        """The left and right end of the words, by `text_width`."""
        width = text_width(self.text, self.size)
        left = {"start": self.x, "middle": self.x - width / 2, "end": self.x - width}[self.anchor]
        return left, left + width


Shape = Line | Rect | Hatch | Circle | Path | Text

_SIZES: Final = {"lab": 13, "val": 13, "ratet": 13}

# Widths in thousandths of the letter height, of the bold cut of the condensed face, rounded up: words never need more.
_NARROW: Final = {
    **dict.fromkeys(f" {NO_BREAK_SPACE}", 215),
    **dict.fromkeys("ijl.,:;'!·", 320),
    **dict.fromkeys("frt-()[]{}|", 365),
    **dict.fromkeys("I/", 405),
    **dict.fromkeys("aceosgkvxyzJ?", 515),
    **dict.fromkeys("0123456789bdhnpquL–−+FTEZ", 550),
    **dict.fromkeys("mwMW%@", 875),
}
_OTHER_LETTER: Final = 655
_FULL_WIDTH: Final = 1000
_FIRST_FULL_WIDTH: Final = "\u2e80"


def text_width(text: str, size: int) -> float:
    """Return the px that `text` needs at most in the condensed face at `size` px."""
    wide = (_FULL_WIDTH if letter >= _FIRST_FULL_WIDTH else _NARROW.get(letter, _OTHER_LETTER) for letter in text)
    return sum(wide) * size / 1000


def step_aside(wanted: Sequence[float], widths: Sequence[float], low: float, high: float) -> list[float]:
    """Return where things of these widths stand side by side, each as near to its wanted centre as the others let it.

    `wanted` is in rising order. Those that would collide move apart symmetrically around the middle of their group (the
    least squared displacement); all stay between `low` and `high` when there is room, else they run on beyond `high`.
    """
    groups: list[tuple[float, int]] = []  # mean, members
    offsets: list[float] = []
    used = 0.0
    for centre, width in zip(wanted, widths, strict=True):
        offsets.append(used + width / 2)
        used += width
        mean, members = centre - offsets[-1], 1
        while groups and groups[-1][0] > mean:
            before, count = groups.pop()
            mean, members = (before * count + mean * members) / (count + members), count + members
        groups.append((mean, members))
    starts = [mean for mean, members in groups for _ in range(members)]
    return [max(low, min(start, high - used)) + offset for start, offset in zip(starts, offsets, strict=True)]
