"""LoRA versions: the model card that compares them, one version, its standing and its file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from curation.models import Image, Origin, Snapshot, SnapshotItem
from curation.views.visible import subject_of
from flenwheel.http import MemberRequest
from training import charts, run_files
from training.artifacts import lora_path
from training.card import Card, Column
from training.card import card as model_card
from training.models import LoraVersion, Run, RunKind
from training.probes import probes
from training.suite import CARD
from training.views.promotion import standing_of


@login_required
@require_GET
def card(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    made = model_card(subject)
    photos = list(Image.objects.photos().filter(subject=subject).order_by("pk"))
    newest = made.columns[-1].lora if made.columns else None
    measured = [column.lora.pk for column in made.columns if column.lora]
    context = {
        "subject": subject,
        "suite": made.suite,
        "rows": _rows(made, photos),
        "has_photos": bool(photos),
        "columns": [_column(column) for column in made.columns],
        "verdict": _verdict(made),
        "newest": newest,
        "num_withdrawn": _num_withdrawn(made),
        "origins": _origins(newest.snapshot) if newest else [],
        "probes": probes(made),
        "num_cells": len(CARD),
        "has_base": any(not (column.lora or column.foreign) for column in made.columns),
        "unmeasured": LoraVersion.objects.of_subject(subject).exclude(pk__in=measured).reverse(),
        "active_runs": subject.runs.active()
        .filter(kind=RunKind.BENCHMARK)
        .select_related("lora", "foreign"),
    }
    return render(request, "training/card.html", context)


def _rows(made: Card, photos: list[Image]) -> list[dict[str, Any]]:
    """Beside each row a photo of that very shot, where there is one."""
    by_shot = {photo.shot: photo for photo in photos}
    return [
        {"shot": row.shot, "cells": row.cells, "photo": by_shot.get(row.shot)} for row in made.rows
    ]


def _column(column: Column) -> dict[str, Any]:
    return {
        "lora": column.lora,
        "title": column.title,
        "subtitle": column.subtitle,
        "identity": charts.bar(column.identity),
        "success": charts.bar(column.success),
    }


def _num_withdrawn(made: Card) -> int:
    """Of all pictures that the versions on the card learned from."""
    snapshots = [column.lora.snapshot_id for column in made.columns if column.lora]
    lost = SnapshotItem.objects.trained_on().withdrawn().filter(snapshot__in=snapshots)
    return lost.values("image").distinct().order_by().count()


def _verdict(made: Card) -> dict[str, str] | None:
    found = made.verdict
    if found is None:
        return None
    headline, _, detail = found.sentence.partition(": ")
    return {"word": found.word, "headline": headline, "detail": detail}


def _origins(snapshot: Snapshot) -> list[dict[str, Any]]:
    pictures = Image.objects.filter(pk__in=snapshot.items.trained_on().values("image"))
    return [
        {"label": "photos" if origin == Origin.PHOTO else Origin(origin).label, "count": count}
        for origin, count in pictures.count_by_origin().items()
    ]


def _visible(request: MemberRequest, pk: int) -> LoraVersion:
    found = LoraVersion.objects.visible_to(request.user).select_related(
        "subject", "base", "snapshot", "run", "parent"
    )
    return get_object_or_404(found, pk=pk)


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
        "promotion": standing_of(lora),
        "recipe": sorted(lora.recipe.items()),
        "used_by": lora.used_by.visible_to(request.user).order_by("-pk")[:10],
        "checkpoints": run_files.checkpoints(lora.run)[:1] if shown.exists() else [],
    }
    return render(request, "training/lora_detail.html", context)


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
