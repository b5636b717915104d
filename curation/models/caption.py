"""Words for pictures that people sort by, and what became of captions over time."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from curation.models.image import Image
from curation.models.subject import Subject


class Tag(models.Model):
    """A word of the curators' own, to find pictures again. Training never reads it."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)
    images = models.ManyToManyField(Image, related_name="tags", blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "name"], name="tag_once_per_subject"),
            models.CheckConstraint(name="tag_has_a_name", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class CaptionProposal(models.Model):
    """What a captioner says of a picture. Training never reads it: a person takes it, or not."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="proposal")
    words = models.CharField(max_length=500)
    made_by = models.CharField(max_length=200, help_text="Name and revision of the model.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.words


class CaptionEdit(models.Model):
    """One change of captions, of one picture or many. Never deleted; an undo is noted here."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="caption_edits")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    said = models.CharField(max_length=200, help_text="What was done, as its author chose it.")
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.said


class CaptionChange(models.Model):
    """`Image.caption` before and after an edit: empty where the words at birth stood."""

    edit = models.ForeignKey(CaptionEdit, on_delete=models.CASCADE, related_name="changes")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="caption_changes")
    before = models.CharField(max_length=500, blank=True)
    after = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["edit", "image"], name="caption_changed_once_by_an_edit"
            ),
        ]

    def __str__(self) -> str:
        return f"caption of {self.image_id} by edit {self.edit_id}"
