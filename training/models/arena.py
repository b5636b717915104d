"""What people prefer, shown two pictures of one cell and seed and no names."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Greatest, Least

from training.models.benchmark import Cell


class Preference(models.TextChoices):
    LEFT = "left", "The left one"
    RIGHT = "right", "The right one"
    TIE = "tie", "No difference"
    BOTH_BAD = "both_bad", "Both are bad"


class VoteQuerySet(models.QuerySet["Vote"]):
    def standing(self) -> Self:
        return self.filter(taken_back_at=None)


class Vote(models.Model):
    """One person's word about two pictures, as they stood on the screen.

    `key` is made by the page, so that a vote sent twice is one vote, also after it was taken back.
    """

    key = models.UUIDField(unique=True)
    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes"
    )
    left = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="+")
    preference = models.CharField(max_length=8, choices=Preference)
    seconds = models.FloatField(null=True, blank=True, help_text="Time both were looked at.")
    created_at = models.DateTimeField(auto_now_add=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    objects = VoteQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                Least("left", "right"),
                Greatest("left", "right"),
                "voter",
                condition=models.Q(taken_back_at=None),
                name="one_vote_per_person_and_pair",
            ),
            models.CheckConstraint(
                name="a_vote_is_between_two", condition=~models.Q(left=models.F("right"))
            ),
            models.CheckConstraint(
                name="preference_is_known", condition=models.Q(preference__in=Preference.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voter}: {self.preference} of {self.left_id} and {self.right_id}"
