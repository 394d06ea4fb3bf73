"""Shapes for the charts that the server draws: geometry here, the look in the style sheet's classes.

Each shape becomes one SVG element (`templates/components/shapes.html`). Pixels are floats: they are
places on a screen, not clinical quantities, and nothing is ever computed back from them.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar, Final, Literal

from markupsafe import Markup

from clinic.core.units import NO_BREAK_SPACE

Anchor = Literal["start", "middle", "end"]


def _px(value: float) -> str:
    """A tenth of a pixel is finer than any screen and keeps the page small."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; `kind` is its class, here and below."""

    tag: ClassVar = "line"
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def place(self) -> str:
        """Where it is drawn, as attributes of its element, here and below."""
        return f'x1="{_px(self.x1)}" y1="{_px(self.y1)}" x2="{_px(self.x2)}" y2="{_px(self.y2)}"'


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle from its upper left corner."""

    tag: ClassVar = "rect"
    kind: str
    x: float
    y: float
    width: float
    height: float

    @property
    def place(self) -> str:
        return _box(self)


@dataclass(frozen=True, slots=True)
class Hatch:
    """A rectangle filled with the hatching that the component defines: a pattern, so it reads without colour."""

    tag: ClassVar = "rect"
    kind: ClassVar = "hatch"
    x: float
    y: float
    width: float
    height: float

    @property
    def place(self) -> str:
        return _box(self)


def _box(box: Rect | Hatch) -> str:
    return f'x="{_px(box.x)}" y="{_px(box.y)}" width="{_px(box.width)}" height="{_px(box.height)}"'


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle around its middle."""

    tag: ClassVar = "circle"
    kind: str
    cx: float
    cy: float
    r: float

    @property
    def place(self) -> str:
        return f'cx="{_px(self.cx)}" cy="{_px(self.cy)}" r="{_px(self.r)}"'


@dataclass(frozen=True, slots=True)
class Path:
    """Anything else, in SVG path commands."""

    tag: ClassVar = "path"
    kind: str
    d: str

    @property
    def place(self) -> str:
        return f'd="{self.d}"'


@dataclass(frozen=True, slots=True)
class Text:
    """Words or a number with its base line at `y`; `x` is the end or the middle that `anchor` names."""

    tag: ClassVar = "text"
    kind: str
    x: float
    y: float
    text: str
    anchor: Anchor = "start"

    @property
    def place(self) -> str:
        return f'x="{_px(self.x)}" y="{_px(self.y)}"'

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


def svg(shapes: Iterable[Shape], key: str, *, paper: bool = False, anchor: Anchor = "start") -> Markup:
    """Return shapes as SVG elements; the arguments are those of the component `shapes`.

    Written here and not in the template: a day has thousands of them.
    """
    return Markup("".join([_element(shape, key, paper, anchor) for shape in shapes]))  # noqa: S704 escaped in `_element`


def _element(shape: Shape, key: str, paper: bool, anchor: Anchor) -> str:  # noqa: FBT001 called thousands of times
    if isinstance(shape, Hatch):
        return f'<rect fill="url(#hatch-{html.escape(key)})" {shape.place}/>'
    look = _ink(shape.kind) if paper else ""
    start = f'<{shape.tag} class="{shape.kind}"{look} {shape.place}'
    if not isinstance(shape, Text):
        return f"{start}/>"
    where = "" if shape.anchor == anchor else f' text-anchor="{shape.anchor}"'
    return f"{start}{where}>{html.escape(shape.text)}</text>"


_FACE: Final = 'font-family="Plex Cond"'
_BOLD: Final = f'{_FACE} font-size="13" font-weight="600"'
# What a kind looks like in black and white.
_INK: Final = {
    **dict.fromkeys(("ax", "unit"), f'{_FACE} font-size="12" fill="#444"'),
    "evt": f'{_FACE} font-size="12"',
    **dict.fromkeys(("lab", "ratet", "val out"), _BOLD),
    "limt": f'{_FACE} font-size="12" font-weight="600" fill="#444"',
    "val": f'{_FACE} font-size="13"',
    "g": 'stroke="#e2e2e2"',
    "g2": 'stroke="#bbb"',
    "rule2": 'stroke="#666"',
    "lim": 'stroke="#444" stroke-width="1.25" stroke-dasharray="5 3"',
    "oob": 'fill="#e6e6e6" fill-opacity="0.5"',
    "rate": 'fill="#ececec"',
    "ratel": 'fill="none" stroke="#000" stroke-width="2.5"',
    "plan": 'fill="none" stroke="#000" stroke-width="1.5" stroke-dasharray="3 4"',
    "stem": 'stroke="#222" stroke-width="1.25"',
    "ln": 'fill="none" stroke="#222" stroke-width="1.25"',
    "v": 'fill="none" stroke="#000" stroke-width="2"',
    "ring": 'fill="#fff" stroke="#000" stroke-width="2"',
    "dot": 'stroke="#fff"',
    "halo": 'fill="none" stroke="#000" stroke-width="1.5"',
    "nt": 'fill="#444"',
    "sc s0": 'fill="#fff" stroke="#666"',
    "sc s1": 'fill="#f2f2f2" stroke="#666"',
    "sc s2": 'fill="#bbb" stroke="#666"',
    "due": 'fill="none" stroke="#222" stroke-width="1.5"',
    "due done": 'fill="#222" stroke="#222" stroke-width="1.5"',
}


@cache
def _ink(kind: str) -> str:
    """Return the attributes that give a kind its look on paper, with a space before them; what is bad is no colour."""
    look = _INK.get(re.sub(" (bad|nostroke|missed)", "", kind), "")
    return look and f" {look}"


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


@lru_cache(maxsize=2048)
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
