"""What lies on a reviewer's desk: each candidate with all that is needed to judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from curation.gate.angles import angle_of
from curation.gate.gating import as_lines, place_on_scale
from curation.gate.nearest import measurement_of
from curation.models import (
    Batch,
    Choice,
    Decision,
    Image,
    Measurement,
    Reason,
    ReviewItem,
    ReviewItemQuerySet,
    Verdict,
)
from curation.reviewing.claiming import CLAIM, PAGE
from curation.reviewing.opinions import ready_for, shown_verdicts

if TYPE_CHECKING:
    from django.contrib.auth.models import User


MODULES = (
    "review.js", "binding.js", "bursts.js", "deck.js", "decisions.js", "grid.js", "keys.js",
    "looking.js", "loupe.js", "outbox.js", "pages.js", "painting.js", "retouching.js",
    "siblings.js", "sweeping.js", "swiping.js", "tally.js", "vendor/idb-keyval/idb-keyval.js",
)  # fmt: skip
"""The page's script and all that it imports: asked for at once, not one when another has come."""

UNDOABLE = 200
"""Decisions that a page can take back after a reload."""


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
    """An item with its picture, measurement and source loaded, and what a reader saw in it."""

    item: ReviewItem
    readings: list[Reading]
    num_faces: int | None
    place: int | None
    """Of the likeness on the gate's scale, percent."""
    phash: str
    """Perceptual hash, 64 bits in hexadecimal: near-duplicates differ in few; empty if unknown."""
    verdict: str
    """As the reviewer may know it: what waits for a second opinion is pending to them."""

    @property
    def image(self) -> Image:
        return self.item.image


@dataclass(frozen=True, slots=True)
class Tally:
    """Where a batch stands for one reviewer, by pictures that are not in the trash."""

    total: int
    waiting: int
    accepted: int


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A reason as the page shows it: its number key, its words, how often it was given here."""

    key: int
    value: str
    label: str
    count: int


def first_of(batch: Batch, *, by: User, first: int | None = None) -> list[Candidate]:
    """What the desk opens with, claimed by nobody yet: the item asked for, then what is free."""
    items = batch.items.with_all_shown()
    asked = items.filter(pk__in=[first] if first else [], image__trashed_at=None)
    free = _free(batch, by).with_all_shown()[:CLAIM]
    deck = {item.pk: item for item in [*asked, *free]}
    verdicts = shown_verdicts(asked, by) if asked else {}
    return candidates(deck.values(), verdicts)


def tiles_of(batch: Batch, *, by: User) -> list[ReviewItem]:
    """The next page of the grid, claimed by nobody yet, with what a thumbnail tells. One query."""
    return list(
        _free(batch, by).select_related("image").defer("nearest", "image__provenance")[:PAGE]
    )


def _free(batch: Batch, by: User) -> ReviewItemQuerySet:
    return batch.items.filter(ready_for(by)).free_for(None).in_order()


def candidates(
    items: Iterable[ReviewItem], verdicts: Mapping[int, str] = MappingProxyType({})
) -> list[Candidate]:
    """No query: the items come with all that is shown. To their reviewer all are pending but those
    in `verdicts`."""
    return [_candidate(item, verdicts.get(item.pk, Verdict.PENDING)) for item in items]


def _candidate(item: ReviewItem, verdict: str) -> Candidate:
    seen = measurement_of(item.image)
    if seen is None:
        return Candidate(item, [], None, None, "", verdict)
    place = _place(item, angle_of(seen))
    return Candidate(item, _readings(item.image, seen), seen.num_faces, place, seen.phash, verdict)


def _place(item: ReviewItem, angle: str) -> int | None:
    """By the lines of its angle; None where nobody could be told apart."""
    if item.calibration is None:
        return None
    return place_on_scale(item.score, *as_lines(item.calibration.lines)[angle].parting())


def _readings(image: Image, measurement: Measurement) -> list[Reading]:
    """Only of words that were asked for; a body shot's expression is too small to be read."""
    asked = {"view": image.view, "expression": image.expression, "pose": image.pose}
    return [
        Reading(asked[word], str(read), float(probability))
        for word, (read, probability) in measurement.reading.items()
        if asked.get(word)
    ]


def tally(batch: Batch, *, by: User) -> Tally:
    """Two queries: what waits, none of it in the trash, is counted by an index and not looked at.
    What waits for this reviewer's second opinion is as undecided as the rest."""
    ready = ready_for(by)
    waiting = batch.items.filter(ready).count()
    others = batch.items.filter(~ready, image__trashed_at=None).aggregate(
        num=Count("pk"), accepted=Count("pk", filter=Q(image__verdict=Verdict.ACCEPTED))
    )
    return Tally(waiting + others["num"], waiting, others["accepted"])


def reason_counts(batch: Batch) -> list[ReasonCount]:
    """The nine reasons in the order of their keys. One query."""
    given = Decision.objects.verdicts().filter(item__batch=batch, choice=Choice.REJECT)
    counts = Counter(r for reasons in given.values_list("reasons", flat=True) for r in reasons)
    return [
        ReasonCount(key, reason.value, reason.label, counts[reason.value])
        for key, reason in enumerate(Reason, start=1)
    ]


def undoable(batch: Batch, by: User) -> list[dict[str, object]]:
    """This person's newest standing decisions in the batch, oldest first."""
    said = Decision.objects.undoable().filter(item__batch=batch, author=by).order_by("-pk")
    mine = said.values_list("item_id", "key", "choice")[:UNDOABLE]
    return [
        {"item": item, "key": str(key), "choice": choice} for item, key, choice in reversed(mine)
    ]
