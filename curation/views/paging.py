"""A page of pictures at a time, by key: the last page costs what the first one does."""

from __future__ import annotations

from curation.models import ImageQuerySet
from flenwheel.http import MemberRequest

PAGE = 96


def page_of(request: MemberRequest, images: ImageQuerySet) -> dict[str, object]:
    """The newest pictures older than the key `before`, and the next page's key or None."""
    before = request.GET.get("before", "")
    if before.isdecimal():
        images = images.filter(pk__lt=int(before))
    page = list(images.order_by("-pk")[: PAGE + 1])
    return {
        "images": page[:PAGE],
        "next_before": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
