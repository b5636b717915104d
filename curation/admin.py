"""The operator's view of subjects, pictures and decisions. What is immutable is only shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import TypedChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from curation.models import (
    Batch,
    Calibration,
    Correction,
    Decision,
    Image,
    Membership,
    Role,
    Snapshot,
    SnapshotItem,
    Subject,
)
from curation.models.membership import MEMBERS

admin.site.site_header = admin.site.site_title = "FLENwheel operations"
admin.site.index_title = "Operations"


def thumbnail(image: Image | None, side: int = 72) -> SafeString | str:
    if image is None:
        return "-"
    return format_html(
        '<img src="{}" alt="{}" width="{}" height="{}" loading="lazy" style="object-fit:cover">',
        reverse("media", args=[image.sha256, 256]),
        image,
        side,
        side,
    )


class Kept:
    """Nobody adds or deletes these by hand: the product makes them, and history keeps them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class Immutable(Kept):
    """Shown only."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class MembershipInline(admin.TabularInline[Membership, Subject]):
    """Reviewers and curators. Guests come and go with their links, on the page of people."""

    model = Membership
    extra = 0
    fields = ("user", "role", "invitation", "created_at")
    readonly_fields = ("invitation", "created_at")
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).filter(MEMBERS)

    def formfield_for_choice_field(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> TypedChoiceField | None:
        """Whoever does not choose gives the lesser role."""
        offered = [(role.value, role.label) for role in (Role.REVIEWER, Role.CURATOR)]
        kwargs |= {"choices": offered, "initial": Role.REVIEWER}
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(Subject)
class SubjectAdmin(admin.ModelAdmin[Subject]):
    list_display = ("name", "kind", "instance_token", "class_noun", "is_demo", "held_out")
    list_filter = ("kind", "is_demo", "held_out")
    search_fields = ("name", "instance_token")
    inlines = (MembershipInline,)
    readonly_fields = ("is_demo", "created_at")


@admin.register(Image)
class ImageAdmin(Kept, admin.ModelAdmin[Image]):
    """Words about a picture may be put right; its verdict is a projection of decisions."""

    list_display = ("picture", "__str__", "subject", "origin", "verdict", "shot", "held_out")
    list_filter = ("origin", "verdict", "held_out", "subject")
    list_select_related = ("subject",)
    list_per_page = 50
    search_fields = ("sha256", "original_name", "caption")
    fields = (
        "picture",
        "subject",
        "origin",
        "verdict",
        ("view", "expression", "pose"),
        ("clothes", "background"),
        "caption",
        "held_out",
        "sha256",
        ("width", "height"),
        "depth",
        "provenance",
        ("created_at", "trashed_at", "erased_at"),
    )
    readonly_fields = (
        "picture",
        "subject",
        "origin",
        "verdict",
        "sha256",
        "width",
        "height",
        "depth",
        "provenance",
        "created_at",
        "trashed_at",
        "erased_at",
    )

    @admin.display(description="")
    def picture(self, image: Image) -> SafeString | str:
        return thumbnail(image)


@admin.register(Decision)
class DecisionAdmin(Immutable, admin.ModelAdmin[Decision]):
    list_display = ("picture", "choice", "reasons", "author", "seconds", "created_at")
    list_filter = ("choice", "author", "item__batch__subject")
    list_select_related = ("item__image", "author")
    list_per_page = 50
    date_hierarchy = "created_at"

    @admin.display(description="")
    def picture(self, decision: Decision) -> SafeString | str:
        return thumbnail(decision.item.image)


@admin.register(Correction)
class CorrectionAdmin(Immutable, admin.ModelAdmin[Correction]):
    list_display = ("before", "made", "after", "instruction", "subject", "author", "created_at")
    list_filter = ("subject", "author")
    list_select_related = ("source", "rejected", "target", "subject", "author")
    list_per_page = 50

    @admin.display(description="source")
    def before(self, correction: Correction) -> SafeString | str:
        return thumbnail(correction.source)

    @admin.display(description="what the editor made")
    def made(self, correction: Correction) -> SafeString | str:
        return thumbnail(correction.rejected)

    @admin.display(description="what it should be")
    def after(self, correction: Correction) -> SafeString | str:
        return thumbnail(correction.target)


class SnapshotItemInline(Immutable, admin.TabularInline[SnapshotItem, Model]):
    model = SnapshotItem
    fields = ("ordinal", "picture", "caption", "weight", "held_out", "crop")
    readonly_fields = ("picture",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SnapshotItem]:
        return super().get_queryset(request).select_related("image", "snapshot")

    @admin.display(description="")
    def picture(self, item: SnapshotItem) -> SafeString | str:
        return thumbnail(item.image, 48)


@admin.register(Snapshot)
class SnapshotAdmin(Immutable, admin.ModelAdmin[Snapshot]):
    list_display = ("__str__", "purpose", "subject", "note", "created_by", "created_at")
    list_filter = ("purpose", "subject")
    list_select_related = ("subject", "created_by")
    inlines = (SnapshotItemInline,)


@admin.register(Batch)
class BatchAdmin(Kept, admin.ModelAdmin[Batch]):
    list_display = ("title", "subject", "created_at")
    list_filter = ("subject",)
    list_select_related = ("subject",)
    fields = ("title", "subject", "created_at", "judged_twice")
    readonly_fields = ("subject", "created_at")


@admin.register(Calibration)
class CalibrationAdmin(Immutable, admin.ModelAdmin[Calibration]):
    list_display = ("__str__", "origin", "num_photos", "num_labels", "expected_error", "created_at")
    list_filter = ("subject", "origin")
    list_select_related = ("subject",)
    exclude = ("scores", "strangers")
