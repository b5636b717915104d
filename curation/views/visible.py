"""What the one who asks may see; everything else is not found."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from curation.models import Batch, Image, ReviewItem, Role, Subject
from flenwheel.http import MemberRequest


def subject_of(request: MemberRequest, slug: str) -> Subject:
    return get_object_or_404(Subject.objects.visible_to(request.user), slug=slug)


def leads(request: MemberRequest, subject: Subject) -> bool:
    """Whether this person sees how others work: a curator or an operator."""
    mine = subject.memberships.filter(user=request.user, role=Role.CURATOR)
    return request.user.is_staff or mine.exists()


def image_of(request: MemberRequest, slug: str, pk: int) -> Image:
    images = Image.objects.visible_to(request.user).select_related("subject", "measurement")
    return get_object_or_404(images, subject__slug=slug, pk=pk)


def batch_of(request: MemberRequest, pk: int) -> Batch:
    visible = Subject.objects.visible_to(request.user)
    return get_object_or_404(Batch.objects.select_related("subject"), pk=pk, subject__in=visible)


def item_of(request: MemberRequest, pk: int, *beside: str) -> ReviewItem:
    """With its picture, and whatever else is named to come in the same query."""
    visible = Subject.objects.visible_to(request.user)
    items = ReviewItem.objects.select_related("image", *beside)
    return get_object_or_404(items, pk=pk, batch__subject__in=visible)
