"""Pictures over HTTP: only to those who may see them, and never shared."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseGone,
)
from django.urls import path, register_converter
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from curation.files.previews import PREVIEW_SIZES
from curation.files.storage import original_of, preview_of
from curation.models import Batch, Image, ImageQuerySet, Origin, ReviewItem, reviewable_by
from flenwheel.http import known_lately
from flenwheel.prepared import KEY, WORD, Prepared

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

ORIGINAL = "original"

STANDING_FIRST = F("erased_at").asc(nulls_first=True)
"""The same bytes may be erased in one subject and stand in another."""


class Sha256Converter:
    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class SizeConverter:
    regex = "|".join([*map(str, PREVIEW_SIZES), ORIGINAL])

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str | int) -> str:
        return str(value)


register_converter(Sha256Converter, "sha256")
register_converter(SizeConverter, "size")


@known_lately
@login_required
@require_safe
def media(request: HttpRequest, sha256: str, size: str) -> HttpResponseBase:
    """Answer alike for bytes that do not exist and bytes that stand only in others' subjects."""
    image = _seen_by(request.user, sha256, size)
    if image is None:
        raise Http404
    if image.erased_at:
        return HttpResponseGone("Erased: consent was withdrawn.", content_type="text/plain")
    etag = quote_etag(f"{sha256}-{size}")
    response = get_conditional_response(request, etag=etag) or _file(image, size)
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _seen_by(user: User | AnonymousUser, sha256: str, size: str) -> Image | None:
    """Members see everything of theirs; guests what lies on their desk, but not to keep."""
    image = _seen(user.is_staff).first(user.pk, sha256)
    if image or size == ORIGINAL:
        return image
    on_the_desk = _on_the_desk(reviewable_by(user))
    return Image.objects.filter(on_the_desk, sha256=sha256).order_by(STANDING_FIRST).first()


@cache
def _seen(is_staff: bool) -> Prepared[Image]:
    def build(user: Any, sha256: Any) -> ImageQuerySet:
        images = Image.objects.visible_to(User(pk=user, is_staff=is_staff))
        seen = images.filter(sha256=sha256).order_by(STANDING_FIRST)
        return seen.only("sha256", "original_name", "erased_at")[:1]

    return Prepared(build, KEY, WORD)


def _on_the_desk(batches: QuerySet[Batch]) -> Q:
    """Pictures of these batches, what they were made from, and photos to compare with: whoever
    asks for a photo by its hash has been shown it there."""
    made_from = ReviewItem.objects.filter(source=OuterRef("pk"), batch__in=batches)
    photos = Q(origin=Origin.PHOTO, trashed_at=None, subject__in=batches.values("subject"))
    return Q(review_item__batch__in=batches) | Q(Exists(made_from)) | photos


def _file(image: Image, size: str) -> HttpResponseBase:
    try:
        if size == ORIGINAL:
            return _attachment(image, original_of(image.sha256))
        preview = preview_of(image.sha256, int(size)).read_bytes()
        return HttpResponse(preview, content_type="image/webp")
    except FileNotFoundError as error:
        raise Http404 from error


def _attachment(image: Image, original: Path) -> FileResponse:
    """To be saved, never shown: the bytes are as somebody sent them."""
    return FileResponse(
        original.open("rb"),
        as_attachment=True,
        filename=image.original_name or f"{image.sha256[:12]}.png",
        content_type="application/octet-stream",
    )


urlpatterns = [path("media/<sha256:sha256>/<size:size>", media, name="media")]
