"""What training brought forth: immutable, numbered, with a standing that people change."""

from __future__ import annotations

from typing import Any, Self

from django.db import models, transaction

from curation.models import Snapshot, Subject
from training.models.base import BaseModel
from training.models.run import Run


class Phase(models.TextChoices):
    HEAD = "head", "Head and expressions"
    BODY = "body", "Head and body"
    EDITOR = "editor", "Editor"


class Standing(models.TextChoices):
    CONTROL = "control", "Control"
    CANDIDATE = "candidate", "Candidate"
    CURRENT = "current", "Current"
    RETIRED = "retired", "Retired"


class LoraVersionQuerySet(models.QuerySet["LoraVersion"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(
            models.Q(subject=None) | models.Q(subject__in=Subject.objects.visible_to(user))
        )

    def of_subject(self, subject: Subject) -> Self:
        return self.filter(subject=subject).order_by("pk")

    def of_editor(self, base: BaseModel) -> Self:
        return self.filter(subject=None, base=base).order_by("pk")

    def current(self) -> Self:
        return self.filter(standing=Standing.CURRENT)


class LoraVersion(models.Model):
    """Always trained from the base; `parent` says which turn of the wheel it followed.

    A control (`number` 0) is trained from the photos alone: what a turn gained is measured by it.
    `file` is relative to the runs folder; `effect` is mean |with - without| over mean
    |other seed - without|. `strength` is what runs draw with that name none of their own.
    """

    subject = models.ForeignKey(
        Subject, on_delete=models.CASCADE, null=True, blank=True, related_name="loras"
    )
    base = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="loras")
    phase = models.CharField(max_length=6, choices=Phase)
    number = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="made_lora")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="loras")
    recipe = models.JSONField()
    file = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    effect = models.FloatField()
    step = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of its training, after which these weights were taken."
    )
    why_kept = models.TextField(blank=True, help_text="Why that step and no other.")
    strength = models.FloatField(default=1.0)
    standing = models.CharField(max_length=10, choices=Standing, default=Standing.CANDIDATE)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LoraVersionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "phase", "number"],
                condition=models.Q(subject__isnull=False),
                name="lora_number_once_per_subject_and_phase",
            ),
            models.UniqueConstraint(
                fields=["base", "number"],
                condition=models.Q(subject=None),
                name="lora_number_once_per_editor_base",
            ),
            models.UniqueConstraint(
                fields=["subject", "phase"],
                condition=models.Q(standing="current", subject__isnull=False),
                name="one_current_lora_per_subject_and_phase",
            ),
            models.UniqueConstraint(
                fields=["base"],
                condition=models.Q(standing="current", subject=None),
                name="one_current_lora_per_editor_base",
            ),
            models.CheckConstraint(
                name="editor_lora_has_no_subject",
                condition=models.Q(phase="editor", subject=None)
                | (~models.Q(phase="editor") & models.Q(subject__isnull=False)),
            ),
            models.CheckConstraint(
                name="control_is_number_zero",
                condition=models.Q(number=0, standing="control")
                | (models.Q(number__gte=1) & ~models.Q(standing="control")),
            ),
        ]

    def __str__(self) -> str:
        if self.phase == Phase.EDITOR:
            return f"qwen_lora_v{self.number}"
        if self.number == 0:
            return "photos only"
        return f"{'char' if self.phase == Phase.HEAD else 'body'}_lora_v{self.number}"

    def kin(self) -> LoraVersionQuerySet:
        """The versions of which one is in use: of a character's phase, or of the editor's base."""
        if self.subject is None:
            return LoraVersion.objects.of_editor(self.base)
        return LoraVersion.objects.of_subject(self.subject).filter(phase=self.phase)

    def promote(self) -> None:
        """Make this version the one in use; the one it replaces is retired."""
        with transaction.atomic():
            locked = [version.pk for version in self.kin().select_for_update(no_key=True)]
            rivals = LoraVersion.objects.current().filter(pk__in=locked).exclude(pk=self.pk)
            rivals.update(standing=Standing.RETIRED)
            self.standing = Standing.CURRENT
            self.save(update_fields=["standing"])

    def retire(self) -> None:
        self.standing = Standing.RETIRED
        self.save(update_fields=["standing"])
