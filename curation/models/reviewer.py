"""How one person likes the review desk."""

from __future__ import annotations

from django.conf import settings
from django.db import models

ACTIONS = (
    "accept", "reject", "edit", "retouch", "skip", "undo", "unset", "reference", "flicker", "loupe",
    "zoom", "survey", "burst", "grid", "sweep", "back", "forth", "help",
)  # fmt: skip
"""What a key can be bound to; `static/keys.js` knows the usual keys of each."""


class Reviewer(models.Model):
    """`keys`: action -> the key that this person gave it; the others keep their usual keys."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviewer"
    )
    is_blind = models.BooleanField(
        default=False, help_text="Judges without the gate's opinion; sees it after deciding."
    )
    keys: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.user} as a reviewer"
