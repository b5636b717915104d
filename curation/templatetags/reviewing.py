"""What pages say about pictures and their review."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.urls import reverse

from curation.files.storage import preview_of
from curation.models import Reason, ReviewItem, Subject
from curation.reviewing.opinions import ready_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

register = template.Library()


@lru_cache(maxsize=1)
def _media() -> str:
    """Where pictures lie: asked of the URL table once, because a desk names a hundred of them."""
    nobody = "0" * 64
    return reverse("media", args=[nobody, 256]).partition(nobody)[0]


@register.filter
def preview(sha256: str, size: int) -> str:
    """The address of a picture's preview of that longest side, px."""
    return f"{_media()}{sha256}/{size}"


@register.filter
def inlined(sha256: str, size: int) -> str:
    """The preview itself, as an address: a page's thumbnails are painted sooner when they come with
    it than by a request each (docs/decisions/0038). Of a file that cannot be read, what says so."""
    try:
        data = preview_of(sha256, size).read_bytes()
    except OSError:
        return preview(sha256, size)
    return f"data:image/webp;base64,{b64encode(data).decode()}"


@register.filter
def in_words(reasons: list[str]) -> str:
    """What the keys 1-9 mean; a reason that is no longer given keeps its code."""
    return ", ".join(Reason(one).label if one in Reason else one for one in reasons)


@register.simple_tag
def waiting_count(subject: Subject, user: User | AnonymousUser) -> int:
    """Pictures of `subject` that wait for this person."""
    return ReviewItem.objects.filter(ready_for(user), batch__subject=subject).count()
