"""What lies on a reviewer's desk: each candidate with all that is needed to judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from curation.angles import angle_of
from curation.claiming import CLAIM
from curation.gating import as_lines, place_on_scale
from curation.models import (
    Batch,
    Choice,
    Decision,
    Image,
    Reason,
    ReviewItem,
    Verdict,
)
from curation.nearest import measurement_of
from curation.opinions import ready_for, shown_verdicts

if TYPE_CHECKING:
    from django.contrib.auth.models import User


Lines = tuple[float | None, float | None]
"""Below the first cosine the gate sees a stranger, from the second on the person."""

MODULES = (
    "review.js", "bursts.js", "deck.js", "decisions.js", "grid.js", "keys.js", "looking.js",
    "loupe.js", "outbox.js", "retouching.js", "siblings.js", "sweeping.js", "swiping.js",
    "tally.js", "vendor/idb-keyval/idb-keyval.js",
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


def first_of(batch: Batch, *, by: User, first: str = "", count: int = CLAIM) -> list[Candidate]:
    """What the desk opens with, claimed by nobody yet: the item asked for, then what is free."""
    items = batch.items.with_all_shown()
    asked = items.filter(pk=first, image__trashed_at=None) if first.isdecimal() else []
    free = items.filter(ready_for(by)).free_for(None).in_order()[:count]
    deck = {item.pk: item for item in [*asked, *free]}
    verdicts = shown_verdicts(items.filter(pk=first), by) if asked else {}
    return candidates(deck.values(), (batch.stranger_line, batch.own_line), verdicts)


def candidates(
    items: Iterable[ReviewItem], lines: Lines, verdicts: Mapping[int, str] = MappingProxyType({})
) -> list[Candidate]:
    """No query: the items come with picture, measurement and source; `lines` are the gate's. To
    their reviewer all are pending but those in `verdicts`."""
    return [
        _candidate(item, _place(item, lines), verdicts.get(item.pk, Verdict.PENDING))
        for item in items
    ]


def _place(item: ReviewItem, lines: Lines) -> int | None:
    """By the lines of its own angle; by the batch's where it names none."""
    measurement = measurement_of(item.image)
    if item.calibration is None or measurement is None:
        return place_on_scale(item.score, *lines)
    lines_here = as_lines(item.calibration.lines)[angle_of(measurement)]
    return place_on_scale(item.score, *lines_here.parting())


def _candidate(item: ReviewItem, place: int | None, verdict: str) -> Candidate:
    measurement = measurement_of(item.image)
    if measurement is None:
        return Candidate(item, [], None, place, "", verdict)
    readings = _readings(item.image)
    return Candidate(item, readings, measurement.num_faces, place, measurement.phash, verdict)


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


def tally(batch: Batch, *, by: User) -> Tally:
    """One query. What waits for this reviewer's second opinion is as undecided as the rest."""
    kept = batch.items.filter(image__trashed_at=None)
    ready = ready_for(by)
    return Tally(
        **kept.aggregate(
            total=Count("pk"),
            waiting=Count("pk", filter=ready),
            accepted=Count("pk", filter=~ready & Q(image__verdict=Verdict.ACCEPTED)),
        )
    )


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
