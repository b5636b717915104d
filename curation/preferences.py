"""Which of two pictures people preferred, where both are answers to the same source and order.

Read off the verdicts: what was accepted beats what was rejected. A group in which all were
rejected, or all accepted, says nothing. What a row says of the pictures, never the pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from curation import masks
from curation.models import (
    Choice,
    Correction,
    Decision,
    Image,
    Reason,
    ReviewItem,
    ReviewItemQuerySet,
    Subject,
    Verdict,
)

DECIDED = (Verdict.ACCEPTED, Verdict.REJECTED)

TIES = frozenset({Reason.NO_EFFECT.value})
"""Rejected for being like another one is no worse than it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`chosen` is what `rejected` should have been: `source` changed as `instruction` says.

    `author` and `reasons` are of the rejection; `mask` (PNG) where only a part was to change.
    """

    source: Image
    instruction: str
    chosen: Image
    rejected: Image
    author: str
    reasons: Sequence[str]
    mask: bytes | None = None


def pairs(subject: Subject) -> Iterator[Pair]:
    """Corrections first, then siblings. As many queries whatever the number."""
    yield from _corrected(subject)
    yield from _siblings(subject)


def _corrected(subject: Subject) -> Iterator[Pair]:
    """What a person made or chose, against what the editor had made of the first order."""
    lessons = Correction.objects.trainable().filter(subject=subject, rejected__trashed_at=None)
    beside = ("source", "target", "rejected", "author")
    said = Prefetch("decisions", Decision.objects.filter(undone_by=None).order_by("pk"))
    for lesson in lessons.select_related(*beside).prefetch_related(said).order_by("pk"):
        if lesson.rejected is not None and lesson.rejected.sha256 != lesson.target.sha256:
            yield Pair(
                source=lesson.source,
                instruction=lesson.instruction,
                chosen=lesson.target,
                rejected=lesson.rejected,
                author=lesson.author.get_username(),
                reasons=list(lesson.decisions.all())[-1].reasons,
                mask=bytes(lesson.mask) if lesson.mask else None,
            )


def _siblings(subject: Subject) -> Iterator[Pair]:
    """Of the same source and order: takes of one shot, and answers to one order in review."""
    groups: dict[tuple[object, ...], list[ReviewItem]] = defaultdict(list)
    for item in _decided(subject):
        made_by = item.image.provenance
        groups[item.source_id, made_by.get("prompt"), made_by.get("mask")].append(item)
    for group in groups.values():
        best = [item for item in group if item.image.verdict == Verdict.ACCEPTED]
        worse = [item for item in group if _is_worse(item)]
        yield from (_sibling_pair(chosen, rejected) for chosen in best for rejected in worse)


def _decided(subject: Subject) -> ReviewItemQuerySet:
    """Edits that people judged and that no rule holds back, each with its rejections that stand."""
    free = Image.objects.in_use().filter(subject__held_out=False, held_out=False)
    rejections = Decision.objects.filter(choice=Choice.REJECT, undone_by=None, is_opinion=False)
    return (
        ReviewItem.objects.filter(
            image__in=free.filter(subject=subject, verdict__in=DECIDED), source__in=free
        )
        .select_related("image", "source")
        .prefetch_related(Prefetch("decisions", rejections.select_related("author").order_by("pk")))
        .order_by("pk")
    )


def _is_worse(item: ReviewItem) -> bool:
    """A person rejected it, and not only because it is like another one."""
    rejections = list(item.decisions.all())
    if item.image.verdict != Verdict.REJECTED or not rejections:
        return False
    return set(rejections[-1].reasons) != TIES


def _sibling_pair(chosen: ReviewItem, rejected: ReviewItem) -> Pair:
    last = list(rejected.decisions.all())[-1]
    mask = rejected.image.provenance.get("mask")
    assert rejected.source is not None
    return Pair(
        source=rejected.source,
        instruction=rejected.image.what_was_asked,
        chosen=chosen.image,
        rejected=rejected.image,
        author=last.author.get_username(),
        reasons=last.reasons,
        mask=masks.from_text(mask) if mask else None,
    )
