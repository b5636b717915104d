"""Pictures over HTTP: only to those who may see a subject they stand in, and never shared."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import path, register_converter
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from curation.models import Image
from curation.previews import PREVIEW_SIZES
from curation.storage import original_of, preview_of

ORIGINAL = "original"


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


@login_required
@require_safe
def media(request: HttpRequest, sha256: str, size: str) -> HttpResponseBase:
    """Answer alike for bytes that do not exist and bytes that stand only in others' subjects."""
    image = Image.objects.visible_to(request.user).filter(sha256=sha256).first()
    if image is None:
        raise Http404
    etag = quote_etag(f"{sha256}-{size}")
    response = get_conditional_response(request, etag=etag) or _file(image, size)
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _file(image: Image, size: str) -> FileResponse:
    try:
        if size == ORIGINAL:
            return _attachment(image, original_of(image.sha256))
        preview = preview_of(image.sha256, int(size))
        return FileResponse(preview.open("rb"), content_type="image/webp")
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
