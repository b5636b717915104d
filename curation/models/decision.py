"""What people say about pictures: decisions are only ever added."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models

REASONS_VERSION = 1
"""Of the list below; kept with each decision, so that what a word meant can be told later."""


class Reason(models.TextChoices):
    """Why a picture was rejected, in the order of the keys 1-9."""

    IDENTITY = "identity", "Not this person"
    FACE = "face", "Face anatomy"
    LIMBS = "limbs", "Hands or limbs"
    PROMPT = "prompt", "Not what was asked"
    ARTEFACTS = "artefacts", "Artefacts"
    STYLE = "style", "Style drifted"
    BACKGROUND = "background", "Background leaks"
    NO_EFFECT = "no_effect", "No effect or duplicate"
    UNSAFE = "unsafe", "Unsafe"


class Choice(models.TextChoices):
    ACCEPT = "accept", "Accept"
    REJECT = "reject", "Reject"
    SKIP = "skip", "Skip"
    UNDO = "undo", "Undo"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def verdicts(self) -> Self:
        """Accept or reject, and nobody took it back."""
        return self.filter(choice__in=[Choice.ACCEPT, Choice.REJECT], undone_by=None)

    def opinions(self) -> Self:
        """Those that changed nothing."""
        return self.verdicts().filter(is_opinion=True)

    def current(self) -> Self:
        """Verdicts and opinions that no later verdict has left behind."""
        later = Decision.objects.verdicts().filter(is_opinion=False)
        passed = later.filter(item=models.OuterRef("item"), pk__gt=models.OuterRef("pk"))
        return self.verdicts().filter(~models.Exists(passed))

    def undoable(self) -> Self:
        """What people said outright: a rejection that came with accepting an answer to the picture
        goes with that acceptance."""
        implied = models.Q(correction__target__review_item__answer_to=models.F("item"))
        return self.filter(undone_by=None).exclude(models.Q(choice=Choice.UNDO) | implied)


class Decision(models.Model):
    """One thing one person said about one picture. Never changed; an undo is another row.

    `key` is made by the browser, so that a decision sent twice is one decision. `correction` is
    the lesson that a rejection came with. `is_opinion`: the picture had been decided, so this is
    kept to compare and changes nothing: a second opinion, a test picture, or somebody was faster.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    item = models.ForeignKey("ReviewItem", on_delete=models.CASCADE, related_name="decisions")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions"
    )
    choice = models.CharField(max_length=8, choices=Choice)
    reasons: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)
    correction = models.ForeignKey(
        "Correction", on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    undoes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    is_opinion = models.BooleanField(default=False)
    reasons_version = models.PositiveSmallIntegerField(default=REASONS_VERSION)
    is_blind = models.BooleanField(
        default=False, help_text="Whether the gate's opinion was hidden when it was made."
    )
    seconds = models.FloatField(
        null=True, blank=True, help_text="Time the picture was looked at, in seconds."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="only_an_undo_undoes",
                condition=models.Q(choice="undo", undoes__isnull=False)
                | (~models.Q(choice="undo") & models.Q(undoes=None)),
            ),
            models.CheckConstraint(
                name="choice_is_known", condition=models.Q(choice__in=Choice.values)
            ),
            models.CheckConstraint(
                name="only_a_rejection_corrects",
                condition=models.Q(choice="reject") | models.Q(correction=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author} {self.choice} item {self.item_id}"
