"""Means with honest intervals: pictures of one cell are alike, so cells are what is resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
DRAWS = 1000


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
    low, high = np.quantile(_resampled_means(values), [0.025, 0.975])
    return Interval(float(np.concatenate(values).mean()), float(low), float(high))


def _resampled_means(values: list[Vector]) -> Vector:
    """(DRAWS,) means; a short cluster is repeated in the table, never padded with zeros."""
    rng = np.random.default_rng(0)
    sizes = np.array([len(v) for v in values])
    table = np.stack([np.resize(v, sizes.max()) for v in values])
    chosen = rng.integers(len(values), size=(DRAWS, len(values)))
    within = (rng.random((DRAWS, len(values), sizes.max())) * sizes[chosen, None]).astype(int)
    is_real = np.arange(sizes.max()) < sizes[chosen, None]
    drawn = table[chosen[..., None], within]
    sums: Vector = (drawn * is_real).sum((1, 2)) / is_real.sum((1, 2))
    return sums


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
