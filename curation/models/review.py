"""What waits for people, and the lessons that they gave."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from curation.models.calibration import Calibration
from curation.models.decision import Decision
from curation.models.image import Image, Verdict
from curation.models.subject import Subject


class Gate(models.TextChoices):
    GREEN = "green", "Within the photos' own range"
    AMBER = "amber", "Unsure"
    RED = "red", "Probably another person"
    UNKNOWN = "unknown", "Could not be judged"


class Batch(models.Model):
    """Pictures made together, waiting for people; it grows while its run goes on."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="batches")
    title = models.CharField(max_length=120)
    judged_twice = models.FloatField(
        default=0, help_text="Share of its pictures, 0 to 1, that come back for a second opinion."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                name="judged_twice_is_a_share",
                condition=models.Q(judged_twice__gte=0, judged_twice__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    def waiting(self) -> Self:
        """Those without a verdict; a second opinion may be wanted of others."""
        return self.filter(is_waiting=True, decided_at=None)

    def disputed(self) -> Self:
        """What lies in the trash is nobody's dispute."""
        return self.filter(is_disputed=True, image__trashed_at=None)

    def free_for(self, lease: uuid.UUID | None, now: dt.datetime | None = None) -> Self:
        """Held by nobody, or no longer, or under this very lease."""
        expired = models.Q(held_until=None) | models.Q(held_until__lt=now or timezone.now())
        return self.filter(expired | models.Q(lease=lease)) if lease else self.filter(expired)

    def with_all_shown(self) -> Self:
        """With picture, measurement, source and the lines it was judged by, in the same query."""
        joined = self.select_related("image__measurement", "source", "calibration")
        return joined.defer("calibration__scores", "calibration__strangers")

    def in_order(self) -> Self:
        """What teaches most comes first, what was skipped last."""
        return self.order_by("skips", "rank", "pk")


class ReviewItem(models.Model):
    """A picture in a batch, with the gate's opinion: it advises, people decide.

    `is_waiting` follows the picture's verdict, the trash and whether a second opinion is wanted,
    so that the next ones are found by one index whatever the size of the batch. `source` and
    `nearest` are what the desk shows beside it. `lease` names the browser tab that holds it until
    `held_until`. `is_spared` is what automation keeps from people: no verdict, and it waits no
    more until it is brought back.
    """

    # Found by `ready_items`, which alone tells how many of them wait for somebody.
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items", db_index=False)
    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="review_item")
    source = models.ForeignKey(
        Image, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    answer_to = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="answers",
        help_text="The item about which the editor was asked again.",
    )
    nearest: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(
        default=list, blank=True, help_text="The likest photos: sha256 and shot of each."
    )
    rank = models.FloatField(default=0, help_text="Smaller is reviewed sooner.")
    is_waiting = models.BooleanField(default=True)
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Whose decision stands.",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    is_disputed = models.BooleanField(
        default=False, help_text="A second opinion differs, and nobody has settled it."
    )
    gold = models.CharField(
        max_length=8,
        choices=[("accept", "accept"), ("reject", "reject")],
        blank=True,
        help_text="The known answer: reviewers are tested with it, unmarked.",
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    lease = models.UUIDField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    gate = models.CharField(max_length=8, choices=Gate, default=Gate.UNKNOWN)
    gate_reason = models.CharField(max_length=200, blank=True)
    score = models.FloatField(
        null=True, blank=True, help_text="Cosine to the photos by the gate's embedder, -1 to 1."
    )
    calibration = models.ForeignKey(
        Calibration,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="items",
        db_index=False,
        help_text="Whose lines the gate's opinion is by.",
    )
    p_value = models.FloatField(
        null=True, blank=True, help_text="Share of this person's known pictures that score as low."
    )
    propensity = models.FloatField(
        default=1, help_text="The chance, above 0 to 1, with which people are shown it."
    )
    is_spared = models.BooleanField(
        default=False, help_text="Not shown: the gate refuses it beyond the bound people set."
    )
    skips = models.PositiveIntegerField(default=0)

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="gate_is_known", condition=models.Q(gate__in=Gate.values)),
            models.CheckConstraint(
                name="held_by_somebody_until_some_time",
                condition=models.Q(lease=None, held_until=None)
                | models.Q(lease__isnull=False, held_until__isnull=False),
            ),
            models.CheckConstraint(
                name="propensity_is_a_chance",
                condition=models.Q(propensity__gt=0, propensity__lte=1),
            ),
        ]
        indexes = [
            models.Index(
                name="waiting_items_in_order",
                fields=["batch", "skips", "rank", "id"],
                condition=models.Q(is_waiting=True),
            ),
            models.Index(
                name="ready_items", fields=["batch", "is_waiting", "decider", "decided_at"]
            ),
            models.Index(
                name="disputed_items", fields=["batch"], condition=models.Q(is_disputed=True)
            ),
            models.Index(name="gold_items", fields=["batch"], condition=~models.Q(gold="")),
            models.Index(
                name="held_items", fields=["lease"], condition=models.Q(lease__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.pk} of {self.batch}"

    @property
    def is_correctable(self) -> bool:
        """Whether it was made from a picture, so that there is an edit to correct."""
        return self.source_id is not None


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def standing(self) -> Self:
        """Those that nobody took back: by an undo, by accepting what had been rejected, or by
        rejecting what it should have been. What was erased teaches nothing."""
        rejections = Decision.objects.filter(
            correction=models.OuterRef("pk"), undone_by=None, item__image__verdict=Verdict.REJECTED
        )
        there = {"source__erased_at": None, "target__erased_at": None}
        return self.filter(models.Exists(rejections), target__verdict=Verdict.ACCEPTED, **there)

    def trainable(self) -> Self:
        """Lessons that stand and that no rule holds back, at either end."""
        in_training = Image.objects.in_use().filter(held_out=False, subject__held_out=False)
        return self.standing().filter(source__in=in_training, target__in=in_training)


class Correction(models.Model):
    """Source, instruction and the picture it should have become: one lesson for the editor.

    `rejected` is the editor's own answer that a person did not want: with `target` it is also a
    preference pair, and so is every candidate but the target. Immutable: whether it stands is said
    by the decisions that came with it.

    `raw_instruction` is what the person typed, where they typed something. `recipe` says how the
    target came of `rejected`: crop, turn, mirror, exposure, fill (see `retouching`).
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="corrections")
    source = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    instruction = models.CharField(max_length=500)
    target = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    rejected = models.ForeignKey(
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    candidates = models.ManyToManyField(Image, related_name="+", blank=True)
    raw_instruction = models.CharField(max_length=500, blank=True)
    mask = models.BinaryField(
        null=True,
        help_text="PNG, 8-bit grey, as large as `rejected`; 255 where it was to change.",
    )
    recipe: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, blank=True
    )
    outside_change = models.FloatField(
        null=True,
        blank=True,
        help_text="Mean change outside the mask, 0 to 1 of full scale; null without a mask.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="corrections"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "instruction", "target"], name="correction_once_per_lesson"
            ),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}: {self.instruction}"
