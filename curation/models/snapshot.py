"""The frozen state of a dataset: what training reads, for ever the same."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from curation.models.image import Image, Origin
from curation.models.review import Correction
from curation.models.subject import Subject


class Snapshot(models.Model):
    """Ordered, hashed, captioned. `sha256` is over its purpose, subject and every item.

    A character snapshot belongs to a subject; an editor snapshot (of corrections) to none.
    """

    class Purpose(models.TextChoices):
        CHARACTER = "character", "Character LoRA"
        EDITOR = "editor", "Editor LoRA"

    purpose = models.CharField(max_length=10, choices=Purpose)
    subject = models.ForeignKey(
        Subject, on_delete=models.PROTECT, null=True, blank=True, related_name="snapshots"
    )
    sha256 = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=200, blank=True)
    override = models.CharField(
        max_length=300, blank=True, help_text="Why its maker froze it against the mixing rules."
    )
    checks: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, blank=True, help_text="broken, left_out: sentences of the mixing rules."
    )
    diversity: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(
        default=dict, blank=True, help_text="Vendi scores: faces, shots; absent if not measured."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="character_snapshot_has_a_subject",
                condition=models.Q(purpose="character", subject__isnull=False)
                | models.Q(purpose="editor", subject=None),
            ),
            models.CheckConstraint(
                name="override_names_what_it_breaks",
                condition=models.Q(override="") | ~models.Q(checks={}),
            ),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.sha256[:8]}"

    def num_held_back(self) -> int:
        """How many of its items may no longer train: held out, trashed or taken back since."""
        if self.purpose == self.Purpose.EDITOR:
            return self.items.exclude(correction__in=Correction.objects.trainable()).count()
        held_back = self.items.trained_on().exclude(image__in=Image.objects.trainable())
        return held_back.exclude(image__in=Image.objects.of_the_class()).count()

    def before(self) -> Snapshot | None:
        """The last one of the subject that is like it: of photos alone, or not."""
        made = SnapshotItem.objects.exclude(image__origin=Origin.PHOTO)
        alike = models.Exists(made.filter(snapshot=models.OuterRef("pk")))
        is_mixed = made.filter(snapshot=self).exists()
        older = Snapshot.objects.filter(subject=self.subject_id, pk__lt=self.pk)
        return older.filter(alike if is_mixed else ~alike).first()

    def num_withdrawn(self) -> int:
        """How many of its pictures were erased since, because consent was withdrawn."""
        return self.items.trained_on().withdrawn().count()


class SnapshotItemQuerySet(models.QuerySet["SnapshotItem"]):
    def trained_on(self) -> Self:
        """What training sees: all but the photos kept back to measure by."""
        return self.filter(held_out=False)

    def withdrawn(self) -> Self:
        """Those of which either end is gone, where they are lessons for the editor."""
        gone = models.Q(image__erased_at__isnull=False)
        return self.filter(gone | models.Q(correction__source__erased_at__isnull=False))


class SnapshotItem(models.Model):
    """One picture, or a part of it, and how often training sees it; never, where it is held out."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    caption = models.CharField(max_length=500)
    weight = models.FloatField(default=1.0)
    held_out = models.BooleanField(
        default=False, help_text="Kept back, so that likeness is measured on what nobody learned."
    )
    crop: models.JSONField[list[int] | None, list[int] | None] = models.JSONField(
        null=True, blank=True, help_text="Left, top, right, bottom in pixels; null for the whole."
    )
    correction = models.ForeignKey(
        Correction, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = SnapshotItemQuerySet.as_manager()

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "ordinal"], name="snapshot_item_once_per_place"
            ),
            models.CheckConstraint(
                name="held_out_iff_without_weight",
                condition=models.Q(held_out=True, weight=0)
                | models.Q(held_out=False, weight__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot} item {self.ordinal}"

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """The part of the picture that is seen; None for the whole."""
        if self.crop is None:
            return None
        left, top, right, bottom = self.crop
        return left, top, right, bottom

    @property
    def width(self) -> int:
        """Of what is seen, pixels."""
        return self.box[2] - self.box[0] if self.box else self.image.width

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1] if self.box else self.image.height
