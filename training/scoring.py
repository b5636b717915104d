"""Means with honest intervals: pictures of one cell are alike, so cells are what is resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval(clusters: Mapping[Any, Sequence[float]]) -> Interval | None:
    """Clustered bootstrap: resample clusters, then values within each; None without values.

    Davison & Hinkley 1997, section 3.8. The seed is fixed: the same scores give the same interval.
    """
    values = [np.asarray(v, float) for v in clusters.values() if len(v)]
    if not values:
        return None
    rng = np.random.default_rng(0)
    means = [_resampled_mean(values, rng) for _ in range(DRAWS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(np.concatenate(values).mean()), float(low), float(high))


def _resampled_mean(values: list[np.ndarray[Any, Any]], rng: np.random.Generator) -> float:
    chosen = rng.integers(len(values), size=len(values))
    parts = [values[i][rng.integers(len(values[i]), size=len(values[i]))] for i in chosen]
    return float(np.concatenate(parts).mean())


def difference(
    better: Mapping[Any, Sequence[float]], worse: Mapping[Any, Sequence[float]]
) -> Interval | None:
    """Mean of better - worse, paired by place within each cluster: the same cells and seeds."""
    pairs = {
        key: [a - b for a, b in zip(better[key], worse[key], strict=False)]
        for key in better
        if key in worse
    }
    return interval(pairs)


def says(gap: Interval | None) -> str:
    """`better`, `worse` or `cannot tell` of a difference."""
    if gap is None or gap.low <= 0 <= gap.high:
        return "cannot tell"
    return "better" if gap.low > 0 else "worse"
