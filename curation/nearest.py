"""Which photos lie nearest to a made picture, so that a person can compare like with like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from curation.models import Image, Measurement, Subject

SHOWN = 4


def nearest_photos(subject: Subject, made: Iterable[Image]) -> dict[int, list[Image]]:
    """Give, by primary key of each made picture, up to four photos: the same view first, then
    by cosine of the face embeddings. One query; `made` comes with its measurements.
    """
    photos = list(
        Image.objects.photos().filter(subject=subject).select_related("measurement").order_by("pk")
    )
    return {image.pk: _nearest(image, photos) for image in made}


def _nearest(image: Image, photos: Sequence[Image]) -> list[Image]:
    def distance(photo: Image) -> tuple[bool, bool, float]:
        return (
            photo.view != image.view,
            photo.expression != image.expression,
            -cosine(image, photo),
        )

    return sorted(photos, key=distance)[:SHOWN]


def cosine(one: Image, other: Image) -> float:
    """-1 to 1; 0 where a face was not found, or was measured by another model."""
    ours, theirs = measurement_of(one), measurement_of(other)
    if ours is None or theirs is None or ours.backend_sha256 != theirs.backend_sha256:
        return 0.0
    if ours.embedding is None or theirs.embedding is None:
        return 0.0
    return float(np.dot(vector(ours.embedding), vector(theirs.embedding)))


def vector(embedding: bytes | memoryview) -> np.ndarray:
    return np.frombuffer(embedding, dtype="<f2").astype(np.float32)


def measurement_of(image: Image) -> Measurement | None:
    """The measurement, or None while it is not taken."""
    try:
        return image.measurement
    except Measurement.DoesNotExist:
        return None
