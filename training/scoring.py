"""Means with honest intervals: pictures of one cell are alike, so cells are what is resampled.

The second stage of a hierarchical bootstrap, seeds within cells, draws without replacement: with
it, the noise of the seeds would be counted twice (Davison & Hinkley 1997, section 3.8). Few cells
make a bootstrap too sure of itself; it is widened as Student's t widens a normal interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.certainty import student

Vector = npt.NDArray[np.float64]
DRAWS = 1000
NORMAL = 1.959964
"""Standard errors to either side of a normal 95 % interval."""
POWER = 0.841621
"""The standard normal's quantile at 0.8: what it takes to find a gap four times in five."""
WORTH_TELLING = 0.05
"""The smallest gap that a recommended size is to find, in shares of cells and in cosines."""
MOST_SEEDS = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval(clusters: Mapping[Any, Sequence[float]]) -> Interval | None:
    """Of the mean over all values; None without values, boundless of a single one.

    Whole clusters are resampled, or, where there is one alone, its values. The seed is fixed: the
    same scores give the same interval.
    """
    values = [np.asarray(v, float) for v in clusters.values() if len(v)]
    if not values:
        return None
    if len(values) == 1:
        values = list(values[0][:, None])
    mean = float(np.concatenate(values).mean())
    if len(values) == 1:
        return Interval(mean, -inf, inf)
    low, high = np.quantile(_resampled_means(values), [0.025, 0.975]) - mean
    widened = _few(len(values))
    return Interval(mean, mean + widened * float(low), mean + widened * float(high))


def _resampled_means(values: list[Vector]) -> Vector:
    """(DRAWS,) means over as many clusters as there are."""
    rng = np.random.default_rng(0)
    totals, sizes = np.array([v.sum() for v in values]), np.array([len(v) for v in values])
    chosen = rng.integers(len(values), size=(DRAWS, len(values)))
    means: Vector = totals[chosen].sum(1) / sizes[chosen].sum(1)
    return means


def _few(count: int) -> float:
    """A bootstrap of n clusters has (n - 1) / n of the variance, and normal tails."""
    return sqrt(count / (count - 1)) * student(count - 1) / NORMAL


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


def seeds_needed(gaps: Mapping[Any, Sequence[float]]) -> int | None:
    """Seeds a cell under which a gap of WORTH_TELLING is found with power 0.8; None where even
    MOST_SEEDS are too few, or too little was drawn to say.

    From the paired variance that was seen, split as a one-way random-effects analysis of variance
    does: more seeds thin out what differs between seeds, never what differs between cells.
    """
    cells = [np.asarray(v, float) for v in gaps.values() if len(v)]
    if len(cells) < 2:
        return None
    within = _pooled_variance(cells)
    sizes = np.array([len(v) for v in cells])
    means = np.array([v.mean() for v in cells])
    between = max(0.0, float(means.var(ddof=1)) - within * float((1 / sizes).mean()))
    allowed = len(cells) * (WORTH_TELLING / (student(len(cells) - 1) + POWER)) ** 2
    if allowed <= between:
        return None
    seeds = max(1, ceil(within / (allowed - between)))
    return seeds if seeds <= MOST_SEEDS else None


def _pooled_variance(cells: Sequence[Vector]) -> float:
    """Within cells; under one seed a cell all variance is taken to be of seeds."""
    freedom = sum(len(v) - 1 for v in cells)
    if not freedom:
        return float(np.concatenate(cells).var(ddof=1))
    return float(sum(((v - v.mean()) ** 2).sum() for v in cells)) / freedom
