"""Where the marks of the small charts lie. Geometry only; the templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.scoring import Interval
from training.wheel import Turn

LEFT, RIGHT, TOP, BOTTOM = 44.0, 344.0, 14.0, 114.0
"""The plot's box in SVG units: a share of 1 lies at TOP, of 0 at BOTTOM."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One turn: its point and its 95 % interval, in SVG units."""

    title: str
    x: float
    y: float
    high: float
    low: float
    percent: int


@dataclass(frozen=True, slots=True)
class GridLine:
    y: float
    percent: int


def height(share: float) -> float:
    """Where a share of 0..1 lies, in SVG units from the top."""
    return round(BOTTOM - (BOTTOM - TOP) * min(max(share, 0.0), 1.0), 1)


GRID = tuple(GridLine(height(percent / 100), percent) for percent in (0, 50, 100))


def gains(turns: Sequence[Turn]) -> list[Mark]:
    """A mark for every turn whose card was measured, evenly spread."""
    measured = [(turn.title, turn.success) for turn in turns if turn.success is not None]
    step = (RIGHT - LEFT) / max(len(measured), 1)
    return [
        Mark(
            title=title.replace("_lora_", " ").replace("char ", ""),
            x=round(LEFT + step * (i + 0.5), 1),
            y=height(share.mean),
            high=height(share.high),
            low=height(share.low),
            percent=round(100 * share.mean),
        )
        for i, (title, share) in enumerate(measured)
    ]


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval on a line of 0..1: percent of the line's length."""

    mean: float
    at: float
    left: float
    width: float


def bar(found: Interval | None) -> Bar | None:
    if found is None:
        return None
    low, at, high = (
        round(100 * min(max(v, 0.0), 1.0), 1) for v in (found.low, found.mean, found.high)
    )
    return Bar(found.mean, at, low, round(high - low, 1))
