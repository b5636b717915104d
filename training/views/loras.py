"""LoRA versions: the model card that compares them, one version, its standing and its file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.models import Image, Origin, Role, Snapshot
from curation.views.visible import demand
from flenwheel.http import MemberRequest
from training import run_files
from training.artifacts import lora_path
from training.models import LoraVersion, Run, Standing

WITHDRAWN = "It was trained on pictures whose consent was withdrawn since; train another."


def _origins(snapshot: Snapshot) -> list[dict[str, Any]]:
    pictures = Image.objects.filter(pk__in=snapshot.items.trained_on().values("image"))
    return [
        {"label": label_of(origin), "count": count}
        for origin, count in pictures.count_by_origin().items()
    ]


def label_of(origin: str) -> str:
    return "photos" if origin == Origin.PHOTO else Origin(origin).label


def _visible(request: MemberRequest, pk: int) -> LoraVersion:
    found = LoraVersion.objects.visible_to(request.user).select_related(
        "subject", "base", "snapshot", "run", "parent"
    )
    return get_object_or_404(found, pk=pk)


def _version(request: MemberRequest, pk: int) -> LoraVersion:
    """A version that may come into use: a control is there to be measured against.

    The editor's versions serve every subject, so their standing is the operators' to change.
    """
    lora = _visible(request, pk)
    if lora.subject:
        demand(request, lora.subject, Role.CURATOR)
    elif not request.user.is_staff:
        raise PermissionDenied
    if lora.standing == Standing.CONTROL:
        raise Http404("A control has no standing to change.")
    return lora


@login_required
@require_GET
def lora_detail(request: MemberRequest, pk: int) -> HttpResponse:
    lora = _visible(request, pk)
    shown = Run.objects.shown_to(request.user).filter(pk=lora.run_id)
    context = {
        "lora": lora,
        "subject": lora.subject,
        "origins": _origins(lora.snapshot),
        "num_withdrawn": lora.snapshot.num_withdrawn(),
        "recipe": sorted(lora.recipe.items()),
        "used_by": lora.used_by.visible_to(request.user).order_by("-pk")[:10],
        "checkpoints": run_files.checkpoints(lora.run)[:1] if shown.exists() else [],
    }
    return render(request, "training/lora_detail.html", context)


@login_required
@require_POST
def promote(request: MemberRequest, pk: int) -> HttpResponse:
    lora = _version(request, pk)
    if lora.snapshot.num_withdrawn():
        raise PermissionDenied(WITHDRAWN)
    lora.promote()
    messages.success(request, f"{lora} is now the version in use.")
    return _back(lora)


@login_required
@require_POST
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    lora = _version(request, pk)
    lora.retire()
    messages.success(request, f"{lora} is retired. Nothing was deleted.")
    return _back(lora)


def _back(lora: LoraVersion) -> HttpResponse:
    return redirect("card", lora.subject.slug) if lora.subject else redirect("editor")


@login_required
@require_GET
def lora_file(request: MemberRequest, pk: int) -> FileResponse:
    if not request.user.is_staff:
        raise PermissionDenied
    lora = _visible(request, pk)
    try:
        weights = lora_path(lora).open("rb")
    except FileNotFoundError as error:
        raise Http404(f"The file of {lora} is not on this machine.") from error
    return FileResponse(weights, as_attachment=True, filename=f"{lora}.safetensors")
