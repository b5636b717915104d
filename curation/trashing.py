"""Put a picture into the trash and take it out again: it keeps its verdict meanwhile."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from curation.models import Image, ReviewItem, Verdict


def move_to_trash(image: Image) -> None:
    _keep(image, timezone.now())


def take_from_trash(image: Image) -> None:
    if image.trashed_at:
        _keep(image, None)


def _keep(image: Image, trashed_at: dt.datetime | None) -> None:
    """What lies in the trash waits for nobody."""
    image.trashed_at = trashed_at
    with transaction.atomic():
        image.save(update_fields=["trashed_at"])
        waits = trashed_at is None and image.verdict == Verdict.PENDING
        ReviewItem.objects.filter(image=image).update(is_waiting=waits)
