"""What lies on a reviewer's desk: each candidate with all that is needed to judge it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from curation.models import Batch, Choice, Decision, Image, Reason, ReviewItem, Verdict
from curation.nearest import measurement_of, nearest_photos

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader saw of one word that was asked for."""

    asked: str
    read: str
    probability: float

    @property
    def agrees(self) -> bool:
        return self.asked == self.read


@dataclass(frozen=True, slots=True)
class Candidate:
    item: ReviewItem
    source: Image | None
    nearest: list[Image]
    readings: list[Reading]
    num_faces: int | None

    @property
    def image(self) -> Image:
        return self.item.image


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A reason as the page shows it: its number key, its words, how often it was given here."""

    key: int
    value: str
    label: str
    count: int


def candidates(batch: Batch, *, after: int = 0) -> list[Candidate]:
    """Everything of the batch that was made after item `after`, oldest first. Three queries."""
    items = list(
        batch.items.filter(pk__gt=after, image__trashed_at=None)
        .select_related("image__measurement")
        .prefetch_related(
            Prefetch("image__parents", queryset=Image.objects.order_by("pk"), to_attr="sources")
        )
        .order_by("pk")
    )
    nearest = nearest_photos(batch.subject, [item.image for item in items])
    return [_candidate(item, nearest[item.image_id]) for item in items]


def _candidate(item: ReviewItem, nearest: list[Image]) -> Candidate:
    measurement = measurement_of(item.image)
    return Candidate(
        item=item,
        source=next(iter(item.image.sources), None),  # type: ignore[attr-defined]
        nearest=nearest,
        readings=_readings(item.image),
        num_faces=measurement.num_faces if measurement else None,
    )


def _readings(image: Image) -> list[Reading]:
    """Only of words that were asked for; a body shot's expression is too small to be read."""
    measurement = measurement_of(image)
    if measurement is None:
        return []
    asked = {"view": image.view, "expression": image.expression, "pose": image.pose}
    return [
        Reading(asked[word], str(read), float(probability))
        for word, (read, probability) in measurement.reading.items()
        if asked.get(word)
    ]


def first_to_review(deck: list[Candidate], wanted: str) -> Candidate | None:
    """The one asked for by its number, else the first that waits, skipped ones last."""
    asked = [c for c in deck if str(c.item.pk) == wanted]
    waiting = [c for c in deck if c.image.verdict == Verdict.PENDING]
    waiting.sort(key=lambda c: (c.item.skips, c.item.pk))
    return next(iter([*asked, *waiting]), None)


def reason_counts(batch: Batch) -> list[ReasonCount]:
    """The nine reasons in the order of their keys. One query."""
    given = Decision.objects.filter(item__batch=batch, choice=Choice.REJECT, undone_by=None)
    counts = Counter(r for reasons in given.values_list("reasons", flat=True) for r in reasons)
    return [
        ReasonCount(key, reason.value, reason.label, counts[reason.value])
        for key, reason in enumerate(Reason, start=1)
    ]


def undoable(batch: Batch, by: User) -> list[dict[str, object]]:
    """This person's standing decisions in the batch, oldest first, as the page remembers them."""
    mine = (
        Decision.objects.filter(item__batch=batch, author=by, undone_by=None)
        .exclude(choice=Choice.UNDO)
        .order_by("pk")
    )
    return [{"item": pk, "key": str(key)} for pk, key in mine.values_list("item_id", "key")]
