"""Where the marks of a training's likeness curves lie. Geometry only; a template draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.engines.scores import Scores

LEFT, RIGHT, TOP, BOTTOM = 40.0, 312.0, 12.0, 104.0
"""The plot's box in SVG units."""
MARGIN = 0.1
"""Of the range of values, left free above and below."""

Value = Callable[[Scores], float | None]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    label: str
    dots: tuple[Dot, ...]
    latest: str

    @property
    def points(self) -> str:
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)


@dataclass(frozen=True, slots=True)
class Plot:
    """`limit` is where a dashed line stands; `kept` where the step lies that is kept."""

    title: str
    note: str
    curves: tuple[Curve, ...]
    low: str
    high: str
    first: int
    last: int
    kept: float | None
    limit: float | None = None


def plots(history: Sequence[Scores], kept: int | None) -> list[Plot]:
    """One for each metric that was measured; none before the first checkpoint."""
    made = [_likeness(history, kept), _reached(history, kept), _copying(history, kept)]
    return [plot for plot in (*made, _diversity(history, kept)) if plot.curves]


def _likeness(history: Sequence[Scores], kept: int | None) -> Plot:
    told: dict[str, Value] = {
        "to photos it never saw": lambda s: s.held_out,
        "to photos it learned": lambda s: s.identity,
    }
    return _plot("Likeness", "cosine, higher is liker", history, told, kept)


def _reached(history: Sequence[Scores], kept: int | None) -> Plot:
    told: dict[str, Value] = {"as asked": lambda s: s.reached}
    return _plot("Shows what was asked for", "share of cells", history, told, kept, span=(0, 1))


def _copying(history: Sequence[Scores], kept: int | None) -> Plot:
    own = next((s.own_copying for s in history if s.own_copying is not None), None)
    told: dict[str, Value] = {"nearest training picture": lambda s: s.copying}
    note = "cosine; dashed: how near the photos are to one another"
    return _plot("Copying", note, history, told, kept, limit=own)


def _diversity(history: Sequence[Scores], kept: int | None) -> Plot:
    told: dict[str, Value] = {"faces": lambda s: s.diversity}
    return _plot("Diversity", "Vendi score of the faces", history, told, kept)


def _plot(  # noqa: PLR0913 - one plot is told apart from another by these
    title: str,
    note: str,
    history: Sequence[Scores],
    told: dict[str, Value],
    kept: int | None,
    *,
    span: Range | None = None,
    limit: float | None = None,
) -> Plot:
    values = [v for value in told.values() for s in history if (v := value(s)) is not None]
    low, high = span or _padded(values if limit is None else [*values, limit])
    steps = (int(history[0].at), int(history[-1].at)) if history else (0, 0)

    def curve(label: str, value: Value) -> Curve:
        known = [(s, v) for s in history if (v := value(s)) is not None]
        dots = [
            Dot(_across(s.at, steps), _up(v, low, high), f"step {s.at:.0f}: {_figure(v, span)}")
            for s, v in known
        ]
        return Curve(label, tuple(dots), _figure(known[-1][1], span) if known else "")

    curves = [curve(label, value) for label, value in told.items()]
    return Plot(
        title=title,
        note=note,
        curves=tuple(one for one in curves if one.dots),
        low=_figure(low, span),
        high=_figure(high, span),
        first=steps[0],
        last=steps[1],
        kept=None if kept is None else _across(kept, steps),
        limit=None if limit is None else _up(limit, low, high),
    )


def _padded(values: Sequence[float]) -> Range:
    if not values:
        return 0.0, 1.0
    margin = max(MARGIN * (max(values) - min(values)), 0.005)
    return min(values) - margin, max(values) + margin


def _across(step: float, steps: tuple[int, int]) -> float:
    share = (step - steps[0]) / max(steps[1] - steps[0], 1)
    return round(LEFT + (RIGHT - LEFT) * share, 1)


def _up(value: float, low: float, high: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)


def _figure(value: float, span: Range | None) -> str:
    """A share as a percentage, everything else to three digits."""
    return f"{100 * value:.0f} %" if span else f"{value:.3f}"
