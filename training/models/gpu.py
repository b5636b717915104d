"""The GPUs that workers have, as they said themselves."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Gpu(models.Model):
    """One for each machine that works; `vram` and `ram` are all it has, in bytes."""

    machine = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=100)
    vram = models.BigIntegerField()
    ram = models.BigIntegerField()
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "GPU"
        ordering = ["-vram"]

    def __str__(self) -> str:
        return self.name
