"""How strong players are who were compared two at a time, from votes alone. Pure numpy.

Bradley & Terry 1952 with Davidson's ties (1970, JASA 65:317): with log strengths t, a vote between
i and j goes to i, to j or to neither in proportion to exp(t_i), exp(t_j), exp(d + (t_i + t_j) / 2).
It knows nothing of pictures, people or rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curation.certainty import student
from training.scoring import Interval

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

LEFT, RIGHT, TIE = 0, 1, 2
PRIOR_SD = 2.0
"""Of every parameter around 0, so that who won every vote is strong, not infinitely so: two such
players are expected to differ by less than 98 to 2 in 4 cases of 5."""
POWER = 1.96 + 0.84
"""Standard errors by which a true difference is told apart with a power of 0.8."""


@dataclass(frozen=True, slots=True)
class Votes:
    """(N,) each: places of the players, LEFT, RIGHT or TIE, and which cell and voter it is from."""

    num_players: int
    left: Places
    right: Places
    outcome: Places
    cell: Places
    voter: Places


@dataclass(frozen=True)
class Fit:
    """The most likely parameters (P,): K log strengths, then the log of the tie parameter.

    `information` (P, P) is the negative Hessian, the prior's included; `robust` (P, P) are
    covariances under votes that depend on each other: by cell, and by cell and voter.
    """

    parameters: Floats
    information: Floats
    robust: tuple[Floats, ...]
    num_cells: int

    @property
    def num_players(self) -> int:
        return len(self.parameters) - 1

    @cached_property
    def covariance(self) -> Floats:
        """(P, P), of independent votes."""
        return np.asarray(np.linalg.inv(self.information))

    def contrast(self, weights: Floats) -> Interval:
        """A weighted sum of parameters with its 95 % interval.

        The largest of the standard errors counts: those that are robust to dependence are too small
        in small samples (Angrist & Pischke 2009, section 8.1), and 0 where somebody won every vote.
        """
        variances = [weights @ one @ weights for one in (self.covariance, *self.robust)]
        margin = student(max(self.num_cells - 1, 1)) * float(np.sqrt(max(variances)))
        mean = float(weights @ self.parameters)
        return Interval(mean, mean - margin, mean + margin)

    def gap(self, i: int, j: int) -> Interval:
        """How much stronger i is than j, in log strength."""
        weights = np.zeros(len(self.parameters))
        weights[[i, j]] = 1.0, -1.0
        return self.contrast(weights)

    def lead(self, i: int) -> Interval:
        """How much stronger i is than the mean of all, in log strength."""
        weights = np.full(len(self.parameters), -1.0 / self.num_players)
        weights[i] += 1.0
        weights[-1] = 0.0
        return self.contrast(weights)

    def share(self, gap: Interval) -> Interval:
        """A gap as the share of votes that go to the stronger, ties split: 0.5 is no difference."""
        tie = np.exp(self.parameters[-1])

        def told(log_odds: float) -> float:
            win, loss = np.exp(log_odds / 2), np.exp(-log_odds / 2)
            return float((win + tie / 2) / (win + loss + tie))

        return Interval(told(gap.mean), told(gap.low), told(gap.high))

    def pairs_that_tell_most(self, count: int) -> list[tuple[int, int]]:
        """The next `count` pairs, each the one that is expected to add most to the determinant of
        the information (D-optimal design, Fedorov 1972): those hard to call and seldom seen, and
        players nobody has compared before all others."""
        information, chosen = self.information.copy(), []
        pairs = np.argwhere(np.triu(np.ones((self.num_players,) * 2), 1))
        added = [_information(self.parameters, pair[:1], pair[1:])[0] for pair in pairs]
        for _ in range(count if added else 0):
            best = int(np.argmax([np.linalg.slogdet(information + one)[1] for one in added]))
            information += added[best]
            chosen.append((int(pairs[best][0]), int(pairs[best][1])))
        return chosen


def more_votes(gap: Interval, num_votes: int, num_cells: int) -> int | None:
    """How many more votes would tell a gap as large as this one apart; None where it is too small
    for any number that people would give."""
    if gap.low > 0 or gap.high < 0:
        return 0
    error = (gap.high - gap.low) / 2 / student(max(num_cells - 1, 1))
    needed = num_votes * (POWER * error / max(abs(gap.mean), 1e-9)) ** 2 - num_votes
    return max(1, round(needed)) if needed <= 1000 else None


def fit(votes: Votes) -> Fit:
    """By Newton's method; the log posterior is concave, so there is one maximum."""
    parameters = np.zeros(votes.num_players + 1)
    prior = np.eye(len(parameters)) / PRIOR_SD**2
    for _ in range(100):
        score = _scores(parameters, votes)
        information = prior + _information(parameters, votes.left, votes.right).sum(0)
        uphill = score.sum(0) - prior @ parameters
        step = np.linalg.solve(information, uphill)
        parameters = parameters + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    robust = _robust(np.asarray(np.linalg.inv(information)), score, votes)
    return Fit(parameters, information, robust, len(set(votes.cell.tolist())))


def _outcomes(parameters: Floats, left: Places, right: Places) -> tuple[Floats, Floats]:
    """(N, 3, P) what each outcome adds up of the parameters, and (N, 3) how probable it is."""
    ones = np.eye(len(parameters))
    wins, losses = ones[left], ones[right]
    sums = np.stack([wins, losses, (wins + losses) / 2 + ones[-1]], 1)
    odds = np.exp(sums @ parameters)
    return sums, odds / odds.sum(1, keepdims=True)


def _scores(parameters: Floats, votes: Votes) -> Floats:
    """(N, P) gradients of each vote's log likelihood."""
    sums, shares = _outcomes(parameters, votes.left, votes.right)
    said = sums[np.arange(len(votes.left)), votes.outcome]
    expected: Floats = np.einsum("no,nop->np", shares, sums)
    return said - expected


def _information(parameters: Floats, left: Places, right: Places) -> Floats:
    """(N, P, P) Fisher information of one vote each."""
    sums, shares = _outcomes(parameters, left, right)
    expected = np.einsum("no,nop->np", shares, sums)
    squares = np.einsum("no,nop,noq->npq", shares, sums, sums)
    return np.asarray(squares - expected[:, :, None] * expected[:, None, :])


def _robust(model: Floats, score: Floats, votes: Votes) -> tuple[Floats, ...]:
    """Clustered sandwiches: by cell, and by cell and voter at once (Cameron, Gelbach & Miller 2011,
    equation 2.3). One voter alone tells nothing of how others differ, so the first stays."""
    both = votes.cell * (1 + votes.voter.max(initial=0)) + votes.voter
    by_cell, by_voter, by_both = (
        _clustered(score, labels) for labels in (votes.cell, votes.voter, both)
    )
    meats = by_cell, by_cell + by_voter - by_both
    return tuple(model @ meat @ model for meat in meats)


def _clustered(score: Floats, label: Places) -> Floats:
    """(P, P) sum over clusters of the outer products of their scores, G / (G - 1) times."""
    _, place = np.unique(label, return_inverse=True)
    count = int(place.max(initial=0)) + 1
    sums = np.zeros((count, score.shape[1]))
    np.add.at(sums, place, score)
    return np.asarray(sums.T @ sums) * (count / max(count - 1, 1))
