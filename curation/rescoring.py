"""Judge again what waits, when lines were drawn anew. A person's verdict is never touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from curation import shots
from curation.angles import angle
from curation.coverage import coverage
from curation.embeddings import from_bytes
from curation.gatekeeping import JUDGED, Watch
from curation.gating import Made, Opinion, Seen, judge
from curation.models import Calibration, Image, Measurement, Origin, ReviewItem, Subject
from curation.nearest import measurement_of
from curation.ordering import place

AT_ONCE = 10_000
"""Pictures whose embeddings are held in memory together."""
WORDS = ("view", "expression", "pose")
_MEASURED = ("embedding", "num_faces", "face_size", "yaw", "reading", "phash")
_WRITE = """
    UPDATE curation_reviewitem
    SET gate = %s, gate_reason = %s, score = %s, p_value = %s, calibration_id = %s, rank = %s
    WHERE id = %s AND decided_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undecided item with what the gate judges by."""

    pk: int
    sha256: str
    made: Made

    def row(self, opinion: Opinion, calibration: Calibration, holes: set[shots.Shot]) -> list[Any]:
        asked = self.made.asked
        is_hole = all(asked.values()) and shots.Shot(**asked) in holes
        rank = place(self.sha256, opinion.gate, is_hole=is_hole)
        told = [opinion.gate, opinion.reason, opinion.score, opinion.p_value]
        return [*told, calibration.pk, rank, self.pk]


def rescore(subject: Subject, watch: Watch) -> int:
    """Bring the undecided items that other lines judged in line; gives how many those were.

    Which they are is told by the rows, so that what died half-way is finished by the next call.
    """
    holes = set(coverage(subject).holes)
    return sum(_rescore(subject, Origin(origin), watch, holes) for origin in JUDGED)


def _rescore(subject: Subject, origin: Origin, watch: Watch, holes: set[shots.Shot]) -> int:
    calibration, keeper = watch.over(origin)
    if calibration is None or keeper is None:
        return 0
    count = 0
    for items in _stale(subject, origin, calibration):
        opinions = judge(keeper, [item.made for item in items])
        rows = [i.row(o, calibration, holes) for i, o in zip(items, opinions, strict=True)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_WRITE, rows)
        count += len(rows)
    return count


def _stale(subject: Subject, origin: Origin, by: Calibration) -> Iterator[list[Waiting]]:
    """One query for every AT_ONCE of them, in the order of their keys."""
    measured = (f"measurement__{name}" for name in (*_MEASURED, "backend_sha256"))
    fields = ("sha256", *WORDS, *measured)
    items = (
        ReviewItem.objects.filter(
            models.Q(calibration=None) | ~models.Q(calibration=by),
            batch__subject=subject,
            decided_at=None,
            image__origin=origin,
            image__measurement__backend_sha256=by.backend_sha256,
        )
        .order_by("pk")
        .values_list(
            "pk",
            *(f"image__{name}" for name in fields),
            *(f"source__{name}" for name in fields),
        )
    )
    done = 0
    while rows := list(items.filter(pk__gt=done)[:AT_ONCE]):
        done = rows[-1][0]
        yield [_waiting(row, len(fields)) for row in rows]


def _waiting(row: Sequence[Any], width: int) -> Waiting:
    image, source = row[1 : 1 + width], row[1 + width :]
    made = Made(
        seen=seen_of(*image[4:-1]),
        asked=dict(zip(WORDS, image[1:4], strict=True)),
        source=seen_of(*source[4:-1]) if source[-1] == image[-1] else None,
        source_shot=_known(source[1:4]),
    )
    return Waiting(row[0], image[0], made)


def _known(words: Sequence[str]) -> dict[str, str]:
    return {name: word for name, word in zip(WORDS, words, strict=True) if word}


def seen_of(
    embedding: bytes | memoryview | None,
    num_faces: int,
    face_size: float | None,
    yaw: float | None,
    reading: dict[str, Any] | None,
    phash: str,
) -> Seen:
    """Of a measurement's columns, in the order of `_MEASURED`."""
    return Seen(
        vector=from_bytes(embedding) if embedding else None,
        num_faces=num_faces,
        face_size=face_size,
        angle=angle(yaw, reading or {}),
        phash=phash,
        shot={name: word for name, (word, _) in (reading or {}).items()},
    )


def made_of(image: Image, measurement: Measurement, source: Image | None) -> Made:
    """The same of one picture with its rows at hand."""
    origin = measurement_of(source) if source else None
    words = [getattr(source, name) for name in WORDS] if source else [""] * len(WORDS)
    is_comparable = origin is not None and origin.backend_sha256 == measurement.backend_sha256
    return Made(
        seen=_seen(measurement),
        asked={name: getattr(image, name) for name in WORDS},
        source=_seen(origin) if origin is not None and is_comparable else None,
        source_shot=_known(words),
    )


def _seen(measurement: Measurement) -> Seen:
    return seen_of(*(getattr(measurement, name) for name in _MEASURED))
