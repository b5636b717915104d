"""How far a face is turned, in the few bins within which likeness is compared."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from typing import Any

from curation.likeness import CENTROID, NEAREST
from curation.models import Measurement
from curation.shots import VIEWS

EDGES = (20.0, 45.0, 70.0)
"""Degrees of yaw, either way, at which the bins meet."""
ANGLES = ("front", "turned", "half-profile", "profile")
UNKNOWN = "unknown"
"""The bin of those whose angle nothing tells."""

WORDS = {
    "front": " from the front",
    "turned": " turned a little",
    "half-profile": " in half profile",
    "profile": " in profile",
}

SCORE_OF = {
    "front": CENTROID,
    "turned": CENTROID,
    "half-profile": NEAREST,
    "profile": NEAREST,
    UNKNOWN: NEAREST,
}

_YAWS = dict(zip(VIEWS, (-80.0, -35.0, 0.0, 35.0, 80.0), strict=True))
"""About how far a view's word says that a face is turned, in degrees."""


def angle(yaw: float | None, reading: Mapping[str, Any]) -> str:
    """By the measured yaw in degrees, else by the view that a reader read."""
    if yaw is None:
        view, _ = reading.get("view", ("", 0))
        yaw = _YAWS.get(view)
    return UNKNOWN if yaw is None else ANGLES[bisect(EDGES, abs(yaw))]


def angle_of(measurement: Measurement) -> str:
    return angle(measurement.yaw, measurement.reading)
