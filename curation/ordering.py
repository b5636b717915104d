"""In which order pictures are reviewed: what teaches most comes first.

A fixed share comes at random, so that acceptance rates by gate, recipe and cell stay estimates of
all that was made and not of what looked promising.
"""

from __future__ import annotations

import random

from curation.coverage import coverage
from curation.models import Gate, Image

EXPLORED = 0.08
"""Share of pictures whose place is drawn by lot."""

LAST = 4.0
"""Behind every rank: a batch is decided before it is judged twice."""

_UNSURE = (Gate.AMBER, Gate.UNKNOWN)


def rank(image: Image, gate: Gate) -> float:
    """0 to 4, smaller is sooner: holes of the coverage table, then what the gate is unsure of,
    then its greens; what it calls another person comes last. The same picture gets the same place.
    """
    lot = random.Random(image.sha256)
    if lot.random() < EXPLORED:
        return lot.uniform(0, LAST)
    return _kind(image, gate) + lot.random()


def _kind(image: Image, gate: Gate) -> int:
    if gate == Gate.RED:
        return 3
    if image.shot in coverage(image.subject).holes:
        return 0
    return 1 if gate in _UNSURE else 2
