"""LoRAs out: the file itself, and the same under the names of other programs."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from curation.models import Role
from curation.views.visible import demand
from flenwheel.http import MemberRequest
from training.artifacts import lora_path
from training.engines.base import EngineError
from training.engines.lora_exports import EXPORTS, exported
from training.engines.lora_headers import file_stem
from training.models import LoraVersion
from training.recipes import engine_family

FOREVER = "private, max-age=31536000, immutable"
WITHDRAWN = "It was trained on pictures whose consent was withdrawn since; it is given to nobody."


@login_required
@require_GET
def lora_file(request: MemberRequest, pk: int) -> FileResponse:
    lora = _own(request, pk)
    try:
        weights = lora_path(lora).open("rb")
    except FileNotFoundError as error:
        raise Http404(f"The file of {lora} is not on this machine.") from error
    headers = {"Cache-Control": FOREVER}
    return FileResponse(weights, as_attachment=True, filename=_name(lora), headers=headers)


@login_required
@require_GET
def lora_export(request: MemberRequest, pk: int, name: str) -> StreamingHttpResponse:
    """The same weights under other names; what cannot be so named is said, not sent."""
    lora = _own(request, pk)
    if name not in EXPORTS:
        raise Http404
    try:
        chunks = exported(lora_path(lora), engine_family(lora.base), EXPORTS[name])
    except EngineError as error:
        raise Http404(str(error)) from error
    return _sent(chunks, _name(lora, f"-{name}"))


def _own(request: MemberRequest, pk: int) -> LoraVersion:
    """A version whose file this person may have: it draws a face, or serves every subject."""
    found = LoraVersion.objects.visible_to(request.user).select_related("subject", "base")
    lora = get_object_or_404(found, pk=pk)
    if lora.subject:
        demand(request, lora.subject, Role.CURATOR)
    elif not request.user.is_staff:
        raise PermissionDenied
    if lora.snapshot.num_withdrawn():
        raise PermissionDenied(WITHDRAWN)
    return lora


def _name(lora: LoraVersion, naming: str = "") -> str:
    whose = f"{lora.subject.slug}_" if lora.subject else ""
    return f"{file_stem(f'{whose}{lora}{naming}')}.safetensors"


def _sent(chunks: Iterator[bytes], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": FOREVER}
    return StreamingHttpResponse(chunks, content_type="application/octet-stream", headers=headers)
