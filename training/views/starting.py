"""Pages that set a machine to work: enrich, generate, train, benchmark, edit again.

Their forms are never cached: a page come back to by the browser's Back button brings a new key.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from curation.correcting import checked_mask
from curation.coverage import coverage
from curation.freezing import NotEnough, freeze_character
from curation.ingest import Refused
from curation.models import Image, Origin, Snapshot, Subject
from curation.models.image import TRAINABLE
from curation.views.visible import item_of, subject_of
from flenwheel.http import MemberRequest
from training import preflight, submission
from training.estimate import seconds_per_item
from training.forms import CELLS, EditForm, GenerateForm, PlanForm, TrainForm
from training.models import BaseModel, Family, LoraVersion, Phase, Run, RunKind
from training.readiness import CannotStart
from training.recipes import default_recipe


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def enrich(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    return _plan(request, subject, PlanForm(request.POST or None), RunKind.ENRICH)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def generate(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    return _plan(request, subject, GenerateForm(subject, request.POST or None), RunKind.GENERATE)


def _plan(request: MemberRequest, subject: Subject, form: PlanForm, kind: RunKind) -> HttpResponse:
    if form.is_valid():
        try:
            return redirect(_start(subject, form.cleaned_data, request.user, kind))
        except CannotStart as error:
            form.add_error(None, str(error))
    return _plan_page(request, subject, form, kind)


def _start(subject: Subject, plan: dict[str, Any], by: User, kind: RunKind) -> Run:
    wanted, count, key = plan["shots"], plan["per_shot"], plan["key"]
    if kind == RunKind.ENRICH:
        return submission.submit_enrich(subject, wanted, count, by, key=key)
    return submission.submit_generate(subject, plan["lora"], wanted, count, by, key=key)


def _plan_page(
    request: MemberRequest, subject: Subject, form: PlanForm, kind: RunKind
) -> HttpResponse:
    covered = coverage(subject)
    family = Family.QWEN_EDIT if kind == RunKind.ENRICH else Family.FLUX
    ready = preflight.for_pictures(subject, kind)
    chosen = [CELLS[key] for key in request.POST.getlist("shots") if key in CELLS]
    context = {
        "subject": subject,
        "form": form,
        "kind": kind,
        "coverage": covered,
        "ticked": chosen or covered.holes,
        "seconds": seconds_per_item(kind, BaseModel.objects.usable(family).first()),
        "ready": ready,
        "is_blocked": preflight.is_blocked(ready),
    }
    status = 422 if form.errors else 200
    return render(request, "training/plan.html", context, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def train(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    form = TrainForm(subject, request.POST or None)
    if form.is_valid():
        try:
            snapshot = _chosen_snapshot(request, subject, form)
            run = submission.submit_train(
                subject,
                snapshot,
                form.cleaned_data["phase"],
                by=request.user,
                control=form.cleaned_data["control"],
                changes=form.changes,
                key=form.cleaned_data["key"],
            )
        except (NotEnough, CannotStart) as error:
            form.add_error(None, str(error))
        else:
            return redirect(run)
    return _train_page(request, subject, form)


def _train_page(request: MemberRequest, subject: Subject, form: TrainForm) -> HttpResponse:
    ready = preflight.for_training(subject)
    context = {
        "subject": subject,
        "form": form,
        "origins": _origins(subject),
        "coverage": coverage(subject),
        "recipes": _recipes(),
        "has_control": subject.loras.filter(number=0).exists(),
        "recipe_fields": [form["steps"], form["learning_rate"]],
        "ready": ready,
        "is_blocked": preflight.is_blocked(ready),
    }
    return render(request, "training/train.html", context, status=422 if form.errors else 200)


def _origins(subject: Subject) -> list[dict[str, Any]]:
    counts = Image.objects.trainable().filter(subject=subject).count_by_origin()
    return [
        {"value": origin.value, "label": origin.label, "count": counts.get(origin, 0)}
        for origin in TRAINABLE
    ]


def _recipes() -> list[dict[str, Any]]:
    """What each phase would train with now, and how long; none before a base is set up."""
    base = BaseModel.objects.usable(Family.FLUX).first()
    if base is None:
        return []
    pace = seconds_per_item(RunKind.TRAIN, base)
    recipes = [(phase, default_recipe(base, phase)) for phase in (Phase.HEAD, Phase.BODY)]
    return [
        recipe | {"phase": phase, "base": base, "seconds": pace and pace * recipe["steps"]}
        for phase, recipe in recipes
    ]


def _chosen_snapshot(request: MemberRequest, subject: Subject, form: TrainForm) -> Snapshot:
    data = form.cleaned_data
    if data["control"]:
        return freeze_character(subject, by=request.user, origins=[Origin.PHOTO])
    chosen: Snapshot | None = data["snapshot"]
    if chosen:
        return chosen
    return freeze_character(subject, by=request.user, origins=data["origins"])


@login_required
@require_POST
def benchmark(request: MemberRequest, slug: str) -> HttpResponse:
    """Measure one LoRA version, or the base alone when none is named."""
    subject = subject_of(request, slug)
    lora = None
    if request.POST.get("lora"):
        lora = get_object_or_404(LoraVersion.objects.of_subject(subject), pk=request.POST["lora"])
    try:
        run = submission.submit_benchmark(subject, lora, by=request.user)
    except CannotStart as error:
        messages.error(request, str(error))
        return redirect("card", subject.slug)
    return redirect(run)


@login_required
@require_POST
def edit_item(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask the editor again, in other words, about the picture under review."""
    item = item_of(request, pk)
    form = EditForm(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=422, content_type="text/plain")
    order = form.cleaned_data
    try:
        mask = checked_mask(item, order["mask"]) if order["mask"] else b""
        run = submission.submit_edit(
            *(item, order["instruction"], order["count"]),
            by=request.user,
            mask=mask,
            key=order["key"],
        )
    except (CannotStart, Refused) as error:
        return HttpResponse(str(error), status=422, content_type="text/plain")
    if request.htmx:
        return HttpResponse(f"{run} will add {order['count']} pictures.", status=202)
    return redirect("review_batch", item.batch.subject.slug, item.batch_id)
