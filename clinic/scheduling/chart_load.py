"""The strip under the week: how many patients are there at once, and how many nurses, per half hour of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clinic.core.drawing import Line, Path, Rect, Shape

_STEP: Final = 12  # px per half hour
_FLOOR: Final = 42  # px from the top
_ROOM: Final = 34  # px for the highest step


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One step: when it begins ("09:30"), the most patients at once, nurses they need, and nurses on duty throughout.

    `needed` is None where the clinic has set no number of patients per nurse. `wished` is how much of the height comes
    from times that are only wished yet.
    """

    clock: str
    patients: int
    needed: int | None
    on_duty: int
    wished: int = 0

    @property
    def height(self) -> int:
        """What the strip draws: nurses needed, or patients where nobody said how many a nurse may have."""
        return self.patients if self.needed is None else self.needed

    @property
    def is_short(self) -> bool:
        """Whether fewer nurses are on duty than needed."""
        return self.needed is not None and self.needed > self.on_duty


@dataclass(frozen=True, slots=True)
class LoadChart:
    """The drawing of one day, its width in px, and the same in words."""

    key: str
    width: int
    shapes: tuple[Shape, ...]
    words: str


def load_chart(label: str, key: str, steps: Sequence[HalfHour], top: int) -> LoadChart:
    """Draw a day. `top` is the highest number of the week, so that its days can be compared."""
    scale = _ROOM / max(top, 1)
    heights = [_FLOOR - step.height * scale for step in steps]
    limits = [_FLOOR - step.on_duty * scale for step in steps]
    width = _STEP * len(steps)
    shapes: list[Shape] = [
        Rect("rate", _STEP * place, level, _STEP, _FLOOR - level) for place, level in enumerate(heights)
    ]
    shapes += [
        Rect("wish", _STEP * place, level, _STEP, step.wished * scale)
        for place, (step, level) in enumerate(zip(steps, heights, strict=True))
        if step.wished
    ]
    shapes.append(Path("ratel", f"M0 {_FLOOR}" + _stairs(heights) + f"V{_FLOOR}"))
    shapes.append(Path("lim", f"M0 {limits[0]:.1f}" + _stairs(limits)))
    # Where nurses are missing the step is drawn again as outside a limit.
    shapes += [
        Line("v bad", _STEP * place, level, _STEP * (place + 1), level)
        for place, (step, level) in enumerate(zip(steps, heights, strict=True))
        if step.is_short
    ]
    shapes.append(Line("rule2", 0, _FLOOR + 0.5, width, _FLOOR + 0.5))
    return LoadChart(key, width, tuple(shapes), _words(label, steps))


def _stairs(levels: Sequence[float]) -> str:
    return "".join(f"V{level:.1f}H{_STEP * (place + 1)}" for place, level in enumerate(levels))


def _words(label: str, steps: Sequence[HalfHour]) -> str:
    busiest = max(steps, key=lambda step: step.patients)
    if not busiest.patients:
        return f"{label}: no patients"
    count = "1 patient" if busiest.patients == 1 else f"{busiest.patients} patients"
    nurses = "1 nurse" if busiest.on_duty == 1 else f"{busiest.on_duty} nurses"
    said = f"{label}: at most {count} at once, at {busiest.clock} with {nurses} on duty"
    wished = [step.clock for step in steps if step.wished]
    if wished:
        said += f"; one more needed for what is shown at {', '.join(wished)}"
    short = [step.clock for step in steps if step.is_short]
    return f"{said}; too few nurses at {', '.join(short)}" if short else said
