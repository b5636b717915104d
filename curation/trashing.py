"""Put a picture into the trash and take it out again: it keeps its verdict meanwhile."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from curation.models import Image, ImageQuerySet, ReviewItem, Subject, Verdict


def move_to_trash(image: Image) -> None:
    _keep(image, timezone.now())


def take_from_trash(image: Image) -> None:
    if image.trashed_at:
        _keep(image, None)


def in_trash(subject: Subject, seen: dt.datetime) -> ImageQuerySet:
    """What lay in the trash when somebody looked: what was put there since is left alone."""
    return Image.objects.filter(subject=subject, trashed_at__lte=seen)


def take_all_from_trash(subject: Subject, seen: dt.datetime) -> int:
    """Put back what lay there; give how many those were."""
    lying = in_trash(subject, seen)
    with transaction.atomic():
        waiting = ReviewItem.objects.filter(image__in=lying, image__verdict=Verdict.PENDING)
        waiting.update(is_waiting=True)
        return lying.update(trashed_at=None)


def _keep(image: Image, trashed_at: dt.datetime | None) -> None:
    """What lies in the trash waits for nobody. A picture that was deleted meanwhile stays so."""
    image.trashed_at = trashed_at
    with transaction.atomic():
        Image.objects.filter(pk=image.pk).update(trashed_at=trashed_at)
        waits = trashed_at is None and image.verdict == Verdict.PENDING
        ReviewItem.objects.filter(image=image).update(is_waiting=waits)
