"""How a version came into use, and by which rules: rows that are only added."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from curation.models import Subject
from training.models.lora import LoraVersion

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class PromotionRules(models.Model):
    """What a version of this subject must meet; an edit is a new row with the next number."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="promotion_rules")
    number = models.PositiveIntegerField()
    least_identity = models.FloatField(
        "Likeness at least",
        null=True,
        blank=True,
        validators=SHARE,
        help_text="Mean cosine to the photos, by the benchmark's models; empty asks for none.",
    )
    most_diversity_lost = models.FloatField(
        "Variety lost at most",
        default=0.1,
        validators=SHARE,
        help_text="Share of the Vendi score of what the version in use learned from, 0 to 1.",
    )
    probes_pass = models.BooleanField("No probe failed", default=True)
    not_worse = models.BooleanField(
        "Nothing worse than the version in use",
        default=True,
        help_text="By cells right, likeness and blind votes: worse by more than the 95 % interval.",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "number"], name="rules_number_once_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"rules {self.number}" if self.number else "the usual rules"


class Act(models.TextChoices):
    PROMOTE = "promote", "put to use"
    ROLL_BACK = "roll_back", "rolled back to"
    RETIRE = "retire", "retired"


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def of_kin(self, lora: LoraVersion) -> Self:
        """Of every version of which only one is in use at a time."""
        return self.filter(lora__in=lora.kin()).order_by("pk")


class Promotion(models.Model):
    """One change of a version's standing: who, when, what the rules said, why, what it replaced.

    `verdict`: rules (their number), passes, and checks (level, sentence).
    """

    key = models.UUIDField(unique=True)
    lora = models.ForeignKey(LoraVersion, on_delete=models.CASCADE, related_name="promotions")
    act = models.CharField(max_length=9, choices=Act)
    replaced = models.ForeignKey(
        LoraVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    verdict: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, blank=True
    )
    passed = models.BooleanField(default=True)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="act_is_known", condition=models.Q(act__in=Act.values)),
            models.CheckConstraint(
                name="an_override_says_why",
                condition=models.Q(passed=True) | ~models.Q(act="promote") | ~models.Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lora} {self.get_act_display()}"
