"""Erase pictures whose consent was withdrawn: pixels, faces, masks, captions. Tombstones stay.

The rows first, in one transaction: from then on no page serves them and nothing starts from them.
Then the files, when `storage.sweep_files` finds that no row wants them any more; another subject
that has the same file keeps it. What was trained on them is not known here: `consent_withdrawn`
tells whoever is.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from curation.datasets.lineage import with_descendants
from curation.models import (
    CaptionChange,
    CaptionEdit,
    CaptionProposal,
    Correction,
    Image,
    ImageQuerySet,
    Measurement,
    Origin,
    ReviewItem,
    Snapshot,
    SnapshotItem,
    Subject,
)
from curation.reviewing.standing import HELD_BY_NOBODY
from curation.signals import consent_withdrawn

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

WITHDRAWN = "Withdrawn on"
"""How a subject's consent begins that stands no more."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How much a withdrawal erases, and in how many snapshots it lies."""

    photos: int
    made: int
    snapshots: int


def consented(subject: Subject, photo: Image | None = None) -> ImageQuerySet:
    """What goes with the subject's consent, or with that of one photo: all that was made of it."""
    images = Image.objects.filter(subject=subject, erased_at=None)
    if photo is None:
        return images
    return images.filter(pk__in=with_descendants(subject, [photo.pk]))


def reach(subject: Subject, photo: Image | None = None) -> Reach:
    images = consented(subject, photo)
    photos = images.filter(origin=Origin.PHOTO).count()
    snapshots = Snapshot.objects.filter(items__image__in=images).distinct()
    return Reach(photos, images.count() - photos, snapshots.count())


@transaction.atomic
def withdraw(subject: Subject, photo: Image | None, by: User) -> int:
    """Erase them; give how many pictures those were. Asked twice, the second time there is none."""
    Subject.objects.select_for_update(no_key=True).get(pk=subject.pk)
    count = _erase(subject, photo)
    consent_withdrawn.send(Subject, subject=subject)
    # To end a run is to wait for the picture that it keeps at this moment: that one goes as well.
    count += _erase(subject, photo)
    if photo is None:
        _note(subject)
    logger.info("%s: consent withdrawn, %s pictures erased by %s", subject.slug, count, by)
    return count


def _erase(subject: Subject, photo: Image | None) -> int:
    wanted = consented(subject, photo).select_for_update(no_key=True)
    pks = list(wanted.values_list("pk", flat=True))
    if not pks:
        return 0
    gone = Image.objects.filter(pk__in=pks)
    items = ReviewItem.objects.filter(image__in=gone)
    items.update(is_waiting=False, is_disputed=False, gold="", **HELD_BY_NOBODY)
    for words_or_faces in (Measurement, CaptionChange, CaptionProposal):
        words_or_faces._default_manager.filter(image__in=gone).delete()
    # An edit says the words that it wrote.
    CaptionEdit.objects.filter(subject=subject, changes=None).delete()
    SnapshotItem.objects.filter(image__in=gone).update(caption="")
    now = timezone.now()
    gone.update(erased_at=now, trashed_at=Coalesce("trashed_at", now), caption="", original_name="")
    _show_no_more(subject, set(gone.values_list("sha256", flat=True)))
    _forget_masks(subject, gone)
    return len(pks)


def _show_no_more(subject: Subject, gone: Collection[str]) -> None:
    """Not beside other pictures either, for comparison."""
    changed = []
    for item in ReviewItem.objects.filter(batch__subject=subject).only("nearest").iterator():
        left = [photo for photo in item.nearest if photo["sha256"] not in gone]
        if left != item.nearest:
            item.nearest = left
            changed.append(item)
    ReviewItem.objects.bulk_update(changed, ["nearest"], batch_size=500)


def _forget_masks(subject: Subject, gone: ImageQuerySet) -> None:
    """A mask that was painted over somebody is their outline."""
    erased = Q(source__in=gone) | Q(target__in=gone) | Q(rejected__in=gone)
    Correction.objects.filter(erased, subject=subject).exclude(mask=None).update(mask=None)
    painted = list(gone.filter(provenance__has_key="mask"))
    for image in painted:
        del image.provenance["mask"]
    Image.objects.bulk_update(painted, ["provenance"], batch_size=500)


def is_withdrawn(subject: Subject) -> bool:
    """Until somebody writes a new consent in the place of the old one."""
    return subject.consent.startswith(WITHDRAWN)


def _note(subject: Subject) -> None:
    if not is_withdrawn(subject):
        said = f"{WITHDRAWN} {timezone.now():%d %B %Y}. Before: {subject.consent or 'not noted'}"
        Subject.objects.filter(pk=subject.pk).update(consent=said)
