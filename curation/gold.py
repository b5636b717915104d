"""Test pictures: their answer is known, and reviewers meet them unmarked among the others."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef

from curation.deciding import decide
from curation.guests import is_guest
from curation.models import Choice, Decision, ReviewItem, ReviewItemQuerySet, Verdict
from curation.opinions import VERDICTS

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SHARE = 0.07
"""Of what a reviewer sees while there are test pictures that they have not met."""

ANSWERS = {verdict: choice for choice, verdict in VERDICTS.items()}


def unmet(by: User, batch: int) -> ReviewItemQuerySet:
    """Test pictures of the batch's subject about which this person has never said anything, as they
    come. Guests see the one batch alone."""
    said = Decision.objects.filter(item=OuterRef("pk"), author=by)
    near = {"batch": batch} if is_guest(by) else {"batch__subject__batches": batch}
    tests = ReviewItem.objects.exclude(gold="").filter(**near)
    return tests.filter(~Exists(said), image__trashed_at=None).order_by()


def is_due(num_handed_out: int) -> bool:
    """By lot, whether a test picture goes with that many others."""
    return random.random() < SHARE * num_handed_out


def mark(item: ReviewItem, *, by: User) -> None:
    """The verdict that stands becomes the known answer. Whoever marks it vouches for it by a
    decision of their own, and so is never tested with it. Marked twice is marked once.

    Raises:
        ValueError: nothing is decided about it.
    """
    if item.image.verdict == Verdict.PENDING:
        raise ValueError(f"{item} has no answer yet: decide about it first.")
    if item.gold:
        return
    choice = ANSWERS[Verdict(item.image.verdict)]
    with transaction.atomic():
        if item.decider_id != by.pk:
            decide(item, Choice(choice), by=by)
        settled = {"is_waiting": False, "is_disputed": False}
        ReviewItem.objects.filter(pk=item.pk).update(gold=choice, **settled)


def unmark(item: ReviewItem) -> None:
    """What was answered stays said."""
    ReviewItem.objects.filter(pk=item.pk).update(gold="")
