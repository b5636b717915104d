"""LoRA files that somebody else trained, to be measured beside ours."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from curation.models import Subject
from training.models.base import BaseModel


class ForeignLora(models.Model):
    """A file under a name of its own. It has no snapshot and no standing: it is measured and looked
    at, never put to use, and nothing is trained from it. `file` is relative to the runs folder.
    """

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="foreign_loras")
    base = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    file = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "name"], name="foreign_name_once_per_subject"
            ),
            models.UniqueConstraint(
                fields=["subject", "sha256"], name="foreign_file_once_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (foreign)"
