"""One picture that a run makes."""

from __future__ import annotations

from django.db import models

from curation.models import Image
from training.models.run import Run


class RunItem(models.Model):
    """The unit of a run that makes pictures. Unique by place, so nothing is made twice.

    `request` says all the engine needs; `image` is what came of it, `failure` why nothing did.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    request = models.JSONField()
    source = models.ForeignKey(
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    image = models.ForeignKey(
        Image, on_delete=models.SET_NULL, null=True, blank=True, related_name="run_items"
    )
    failure = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["ordinal"]
        indexes = [models.Index(fields=["done_at"])]
        constraints = [
            models.UniqueConstraint(fields=["run", "ordinal"], name="run_item_once_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.run} item {self.ordinal}"
