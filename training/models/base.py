"""The frozen models that everything starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import models, transaction


class Family(models.TextChoices):
    FLUX = "flux", "FLUX"
    QWEN_EDIT = "qwen-edit", "Qwen-Image-Edit"
    GATE = "gate", "Identity gate"
    REVIEWER = "reviewer", "Automatic reviewer"
    BENCH = "bench", "Benchmark"
    CAPTIONER = "captioner", "Captioner"


class BaseModelQuerySet(models.QuerySet["BaseModel"]):
    def usable(self, family: str) -> Self:
        """Those an operator switched on, the preferred first."""
        return self.filter(family=family, enabled=True).order_by("-preferred", "name")


class BaseModel(models.Model):
    """A folder of weights in diffusers' or insightface's layout, and what to know about it."""

    name = models.CharField(max_length=80, unique=True)
    family = models.CharField(max_length=10, choices=Family)
    folder = models.CharField(
        max_length=500, help_text="Where its files lie on the workers; relative to packs/."
    )
    revision = models.CharField(
        max_length=64, blank=True, help_text="Hash of its files, or the hub's commit."
    )
    licence = models.CharField(max_length=200)
    source_url = models.URLField(blank=True, help_text="Where to get it, and to accept its terms.")
    is_paper_doll = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    preferred = models.BooleanField(default=False)

    objects = BaseModelQuerySet.as_manager()

    class Meta:
        ordering = ["family", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["family"],
                condition=models.Q(preferred=True),
                name="one_preferred_base_per_family",
            ),
            models.CheckConstraint(
                name="base_family_is_known", condition=models.Q(family__in=Family.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.PACKS, self.folder)

    def prefer(self) -> None:
        """Use it, instead of its family's others, for everything started from now on."""
        with transaction.atomic():
            BaseModel.objects.filter(family=self.family, preferred=True).update(preferred=False)
            BaseModel.objects.filter(pk=self.pk).update(preferred=True, enabled=True)
        self.preferred = self.enabled = True
