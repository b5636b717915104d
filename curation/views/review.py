"""The review desk: what waits, one picture at a time, and what people say about it."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.forms import Form
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curation.deciding import decide, record_correction, undo, undo_last
from curation.desk import candidates, first_to_review, reason_counts, undoable
from curation.forms import CorrectionForm, DecisionForm, UndoForm
from curation.ingest import Refused, ingest_retouch
from curation.models import Batch, Choice, Decision, ReviewItem, Verdict
from curation.views.visible import batch_of, item_of, subject_of
from flenwheel.http import MemberRequest

WAITING = Q(items__image__verdict=Verdict.PENDING, items__image__trashed_at=None)


@login_required
@require_GET
def review(request: MemberRequest, slug: str) -> HttpResponse:
    """Straight to the newest batch in which something waits; else to the list."""
    subject = subject_of(request, slug)
    batch = Batch.objects.filter(WAITING, subject=subject).distinct().first()
    if batch:
        return redirect("review_batch", slug, batch.pk)
    return batches(request, slug)


@login_required
@require_GET
def batches(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    counted = subject.batches.annotate(
        num_items=Count("items"),
        num_waiting=Count("items", filter=WAITING),
        num_accepted=Count("items", filter=Q(items__image__verdict=Verdict.ACCEPTED)),
    ).order_by("-pk")
    context = {"subject": subject, "batches": counted.prefetch_related("runs")}
    return render(request, "curation/batches.html", context)


@login_required
@require_GET
def review_batch(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    batch = get_object_or_404(Batch, subject=subject_of(request, slug), pk=pk)
    deck = candidates(batch)
    context = {
        "subject": batch.subject,
        "batch": batch,
        "candidates": deck,
        "current": first_to_review(deck, request.GET.get("item", "")),
        "num_waiting": sum(c.image.verdict == Verdict.PENDING for c in deck),
        "reasons": reason_counts(batch),
        "undoable": undoable(batch, request.user),
        **_finished(batch),
    }
    return render(request, "curation/review.html", context)


@login_required
@require_GET
def batch_news(request: MemberRequest, pk: int) -> HttpResponse:
    """What came into the batch after the item `after`, and where every picture stands now."""
    batch = batch_of(request, pk)
    after = request.GET.get("after", "")
    context = {
        "batch": batch,
        "subject": batch.subject,
        "candidates": candidates(batch, after=int(after) if after.isdecimal() else 0),
        "verdicts": json.dumps(dict(batch.items.values_list("pk", "image__verdict"))),
        **_finished(batch),
    }
    return render(request, "curation/review.html#news", context)


def _finished(batch: Batch) -> dict[str, object]:
    """What the desk tells when nothing waits: what was kept, and how the newest making went."""
    numbers = batch.items.filter(image__trashed_at=None).aggregate(
        num_pictures=Count("pk"),
        num_accepted=Count("pk", filter=Q(image__verdict=Verdict.ACCEPTED)),
    )
    return {"run": batch.runs.first(), **numbers}


@login_required
@require_POST
def decide_item(request: MemberRequest, pk: int) -> HttpResponse:
    item = item_of(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _refuse(request, item, form)
    said = form.cleaned_data
    decide(
        item,
        Choice(said["choice"]),
        by=request.user,
        key=said["key"],
        reasons=said["reasons"],
        seconds=said["seconds"],
    )
    return _answer(request, item)


@login_required
@require_POST
def undo_in_batch(request: MemberRequest, pk: int) -> HttpResponse:
    """Undo the decision with the given key, else this person's newest in the batch."""
    batch = batch_of(request, pk)
    form = UndoForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else None
    if key:
        mine = Decision.objects.filter(item__batch=batch, author=request.user)
        undone: Decision | None = undo(get_object_or_404(mine, key=key), by=request.user)
    else:
        undone = undo_last(batch, by=request.user)
    if undone is None:
        messages.info(request, "There is nothing of yours left to undo in this batch.")
        return redirect("review_batch", batch.subject.slug, batch.pk)
    return _answer(request, item_of(request, undone.item_id), stay=True)


@login_required
@require_POST
def correct_item(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a corrected file: a lesson for the editor; what the editor made is rejected."""
    item = item_of(request, pk)
    form = CorrectionForm(request.POST, request.FILES)
    if not item.image.parents.exists():
        form.add_error(None, "It was not made from a picture, so there is no edit to correct.")
    if not form.is_valid():
        return _refuse(request, item, form)
    try:
        target = ingest_retouch(item, form.cleaned_data["picture"], by=request.user)
    except Refused as refusal:
        form.add_error("picture", str(refusal))
        return _refuse(request, item, form)
    record_correction(item, target, by=request.user, key=form.cleaned_data["key"])
    messages.success(request, "Kept as a lesson for the editor.")
    return _answer(request, item)


def _answer(request: MemberRequest, item: ReviewItem, *, stay: bool = False) -> HttpResponse:
    """JSON for the page's script, else back to the desk: to this item, or on to the next."""
    item.image.refresh_from_db(fields=["verdict"])
    if request.accepts("text/html"):
        return redirect(_desk(item) + (f"?item={item.pk}" if stay else ""))
    return JsonResponse({"item": item.pk, "verdict": item.image.verdict})


def _refuse(request: MemberRequest, item: ReviewItem, form: Form) -> HttpResponse:
    sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
    if not request.accepts("text/html"):
        return JsonResponse({"errors": sentences}, status=422)
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(f"{_desk(item)}?item={item.pk}")


def _desk(item: ReviewItem) -> str:
    return reverse("review_batch", args=[item.batch.subject.slug, item.batch_id])
