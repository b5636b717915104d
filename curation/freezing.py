"""Freeze what people accepted into a snapshot: ordered, hashed, never changed again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from curation.models import Correction, Image, Origin, Snapshot, SnapshotItem, Subject
from curation.models.image import TRAINABLE

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FEWEST_PHOTOS = 5
FEWEST_CORRECTIONS = 4
PART_OF_THE_PHOTOS = {Origin.ENRICHED: 0.8, Origin.SYNTHETIC: 0.1}
"""What all made pictures of an origin weigh together at most, where all photos weigh 1."""

PART_OF_THE_CLASS = 0.15
"""What all pictures of the class weigh together, where all photos weigh 1: the prior that is to be
preserved. DreamBooth (Ruiz et al. 2022) weighs it 1 where all weights of the model are trained; a
LoRA forgets less, and trainers of FLUX LoRAs use 10-20 %."""


class NotEnough(Exception):
    """Says how many pictures there are, how many are needed and how to get them."""


@dataclass(frozen=True, slots=True)
class Entry:
    image: Image
    caption: str
    weight: float = 1.0
    correction: Correction | None = None

    def line(self) -> list[object]:
        """What the snapshot's hash is over."""
        source = self.correction.source.sha256 if self.correction else ""
        return [self.image.sha256, source, self.caption, self.weight]


def freeze_character(
    subject: Subject, *, by: User | None, origins: Sequence[str] = TRAINABLE, note: str = ""
) -> Snapshot:
    """Freeze a subject's accepted pictures. The same content again is the same snapshot.

    Raises:
        NotEnough: fewer than five photos, or the subject is held out.
    """
    if subject.held_out:
        raise NotEnough(
            f"{subject} is held out: its photos measure the editor and are never trained on. "
            "An operator can change that in the admin site."
        )
    images = (
        Image.objects.trainable()
        .filter(subject=subject, origin__in=origins)
        .select_related("subject")
        .order_by("pk")
    )
    entries = [
        Entry(image, image.written_caption(), weight)
        for image, weight in weighed(list(images)).items()
    ]
    num_photos = sum(entry.image.origin == Origin.PHOTO for entry in entries)
    if num_photos < FEWEST_PHOTOS:
        raise NotEnough(
            f"{subject} has {num_photos} photos to train on; at least {FEWEST_PHOTOS} are needed "
            "(10-20 that differ are better). Add some on the Photos page."
        )
    if Origin.CLASS in origins:
        entries += _of_the_class(subject, num_photos)
    return _freeze(Snapshot.Purpose.CHARACTER, subject, entries, by=by, note=note)


def _of_the_class(subject: Subject, num_photos: int) -> list[Entry]:
    """Others of the class under the class prompt: what trains them is the same loss."""
    images = Image.objects.of_the_class().filter(subject=subject).order_by("pk")
    others = list(images.select_related("subject"))
    weight = round(min(1.0, PART_OF_THE_CLASS * num_photos / max(len(others), 1)), 4)
    return [Entry(image, image.written_caption(), weight) for image in others]


def weighed(images: Sequence[Image]) -> dict[Image, float]:
    """How often training sees each picture, in 0..1, where it sees a photo 1 time.

    However many pictures are made, photos stay more than half of what is seen: models that learn
    from what models made forget what was real (Shumailov et al. 2024, Gerstgrasser et al. 2024).
    Made pictures share their part view by view, so that the rare profile counts as much as the
    many from the front.
    """
    counts = Counter((image.origin, _side(image)) for image in images)
    sides = Counter(origin for origin, _ in counts)
    num_photos = sum(image.origin == Origin.PHOTO for image in images)

    def weight(image: Image) -> float:
        if image.origin == Origin.PHOTO:
            return 1.0
        part = PART_OF_THE_PHOTOS[Origin(image.origin)] * num_photos / sides[image.origin]
        return round(min(1.0, part / counts[image.origin, _side(image)]), 4)

    return {image: weight(image) for image in images}


def _side(image: Image) -> str:
    """The view of a portrait; whole bodies, whose faces are small, are one more side."""
    return image.view if image.pose in ("", "portrait") else "body"


def freeze_corrections(*, by: User | None, note: str = "") -> Snapshot:
    """Freeze every correction that stands, of all subjects, as lessons for the editor.

    Raises:
        NotEnough: too few corrections to teach anything.
    """
    corrections = Correction.objects.trainable().select_related("source", "target").order_by("pk")
    entries = [Entry(c.target, c.instruction, correction=c) for c in corrections]
    if len(entries) < FEWEST_CORRECTIONS:
        raise NotEnough(
            f"There are {len(entries)} corrections; at least {FEWEST_CORRECTIONS} are needed. "
            "Press E on a picture in review and upload what it should have been."
        )
    return _freeze(Snapshot.Purpose.EDITOR, None, entries, by=by, note=note)


def _freeze(
    purpose: Snapshot.Purpose,
    subject: Subject | None,
    entries: Sequence[Entry],
    *,
    by: User | None,
    note: str,
) -> Snapshot:
    sha256 = digest([purpose.value, subject.slug if subject else ""], entries)
    try:
        with transaction.atomic():
            snapshot = Snapshot.objects.create(
                purpose=purpose, subject=subject, sha256=sha256, created_by=by, note=note
            )
            SnapshotItem.objects.bulk_create(_items(snapshot, entries))
    except IntegrityError:
        return Snapshot.objects.get(sha256=sha256)
    return snapshot


def _items(snapshot: Snapshot, entries: Iterable[Entry]) -> list[SnapshotItem]:
    return [
        SnapshotItem(
            snapshot=snapshot,
            ordinal=ordinal,
            image=entry.image,
            caption=entry.caption,
            weight=entry.weight,
            correction=entry.correction,
        )
        for ordinal, entry in enumerate(entries)
    ]


def digest(head: list[str], entries: Iterable[Entry]) -> str:
    """SHA-256 over one JSON line an entry, in order."""
    lines = [json.dumps(head)] + [json.dumps(entry.line()) for entry in entries]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
