"""The frozen state of a dataset: what training reads, for ever the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from curation.models.image import Image
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
        ]

    def __str__(self) -> str:
        return f"snapshot {self.sha256[:8]}"

    def num_held_back(self) -> int:
        """How many of its items may no longer train: held out, trashed or taken back since."""
        if self.purpose == self.Purpose.EDITOR:
            return self.items.exclude(correction__in=Correction.objects.trainable()).count()
        held_back = self.items.exclude(image__in=Image.objects.trainable())
        return held_back.exclude(image__in=Image.objects.of_the_class()).count()


class SnapshotItem(models.Model):
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    caption = models.CharField(max_length=500)
    weight = models.FloatField(default=1.0)
    correction = models.ForeignKey(
        Correction, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "ordinal"], name="snapshot_item_once_per_place"
            ),
            models.CheckConstraint(
                name="snapshot_weight_is_positive", condition=models.Q(weight__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot} item {self.ordinal}"
