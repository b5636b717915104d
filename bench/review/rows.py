"""What a measurement gives: lines of the table, and how they are put into words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_LINE = "{:62}  {:24}  {:6}  {}"
HEAD = _LINE.format("what", "goal", "", "measured")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `figures` are the numbers behind `measured`."""

    name: str
    goal: str
    measured: str
    holds: bool
    figures: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _LINE.format(
            self.name, self.goal, "holds" if self.holds else "MISSED", self.measured
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds by name, and how many there were."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    found = {name: 1000 * percentile(seconds, share) for name, share in shares.items()}
    return {"count": len(seconds)} | {name: round(value, 2) for name, value in found.items()}


def in_words(found: dict[str, float]) -> str:
    """Of `quantiles`."""
    told = ", ".join(f"{name} {found[name]:.0f}" for name in ("p50", "p95", "p99", "max"))
    return f"{told} ms of {found['count']:,}"
