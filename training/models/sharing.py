"""Links by which people who have no account look at a card."""

from __future__ import annotations

from django.db import models

from curation.models import Link, LinkQuerySet, Subject


class CardLink(Link):
    """Opens a subject's card, as it is when somebody looks, and nothing else."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="card_links")
    with_photos = models.BooleanField(default=False)
    with_name = models.BooleanField(default=False)

    objects = LinkQuerySet["CardLink"].as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"link to the card of {self.subject}"
