"""The review desk: what waits, one picture at a time, and what people say about it."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import SuspiciousOperation
from django.db.models import Count, Exists, OuterRef, Q
from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curation.claiming import CLAIM, PAGE, claim, keep, release
from curation.comparing import compare
from curation.correcting import preview, retouch
from curation.deciding import record, record_correction, undo, undo_last
from curation.desk import candidates, first_of, reason_counts, tally, undoable
from curation.forms import CorrectionForm, DecisionForm, RetouchForm, UndoForm
from curation.gold import is_due
from curation.ingest import Refused, ingest_retouch
from curation.models import Batch, Choice, Decision, ReviewItem, Role, Verdict
from curation.numbers import pace, tables
from curation.opinions import VERDICTS, is_compared, ready_for, shares, shown_verdicts
from curation.views.reviewing import reviewer_of
from curation.views.visible import batch_of, item_of, leads, subject_of
from flenwheel.http import MemberRequest

MOST_SHOWN = 200
"""Pictures on one page whose verdicts are told; the page itself keeps fewer."""


@login_required
@require_GET
def review(request: MemberRequest, slug: str) -> HttpResponse:
    """Straight to the newest batch in which something waits; else to the list."""
    subject = subject_of(request, slug)
    ready = ReviewItem.objects.filter(ready_for(request.user), batch=OuterRef("pk"))
    batch = Batch.objects.filter(Exists(ready), subject=subject).first()
    if batch:
        return redirect("review_batch", slug, batch.pk)
    return batches(request, slug)


@login_required
@require_GET
def batches(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    ready = ReviewItem.objects.filter(ready_for(request.user), batch__subject=subject)
    disputed = ReviewItem.objects.disputed().filter(batch__subject=subject)
    counted = subject.batches.annotate(
        num_items=Count("items"),
        num_waiting=Count("items", filter=Q(items__in=ready)),
        num_disputed=Count("items", filter=Q(items__in=disputed)),
        num_accepted=Count(
            "items", filter=Q(items__image__verdict=Verdict.ACCEPTED) & ~Q(items__in=ready)
        ),
    ).order_by("-pk")
    context = {
        "subject": subject,
        "batches": counted.prefetch_related("runs"),
        "leads": leads(request, subject),
    }
    return render(request, "curation/batches.html", context)


@login_required
@require_GET
def review_batch(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """The desk. It opens with what is free; the page's script claims it and asks for more."""
    batch = batch_of(request, pk, role=Role.GUEST)
    if batch.subject.slug != slug:
        raise Http404
    is_grid = request.GET.get("view") == "grid"
    count = PAGE if is_grid else CLAIM
    deck = first_of(batch, by=request.user, first=request.GET.get("item", ""), count=count)
    context = {
        "subject": batch.subject,
        "batch": batch,
        "candidates": deck,
        "details": _details(slug),
        "current": deck[0] if deck else None,
        "reasons": reason_counts(batch),
        "is_grid": is_grid,
        "undoable": undoable(batch, request.user),
        "reviewer": reviewer_of(request),
        "tally": tally(batch, by=request.user),
        "run": batch.runs.first(),
    }
    return render(request, "curation/review.html", context)


@login_required
@require_GET
def batch_numbers(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """What the review costs, what it keeps, how far people agree, where the gate's lines could
    lie."""
    batch = get_object_or_404(Batch, subject=subject_of(request, slug), pk=pk)
    counted = tally(batch, by=request.user)
    by_gate, *others = tables(batch)
    context = {
        "subject": batch.subject,
        "batch": batch,
        "tally": counted,
        "num_accepted": sum(share.accepted for share in by_gate.rows),
        "pace": pace(batch, counted.waiting),
        "tables": [by_gate, *others],
        "leads": leads(request, batch.subject),
        "comparison": compare(batch),
        "shares": shares(batch),
        "num_tests": batch.items.exclude(gold="").count(),
        "num_disputed": ReviewItem.objects.disputed().filter(batch=batch).count(),
    }
    return render(request, "curation/numbers.html", context)


@login_required
@require_POST
def claim_items(request: MemberRequest, pk: int) -> HttpResponse:
    """The next pictures for one tab to hold, and which those are: it `have`s some already."""
    count = PAGE if request.POST.get("page") else CLAIM
    lease = _lease(request)
    claimed = claim(pk, by=request.user, lease=lease, count=count)
    have = set(request.POST.getlist("have"))
    new = [item for item in claimed if str(item.pk) not in have]
    num_handed_out = sum(item.lease != lease for item in claimed)  # As they were before.
    facts: Any = claimed[0] if claimed else batch_of(request, pk, role=Role.GUEST)
    slug = facts.subject_slug if claimed else facts.subject.slug
    context = {
        "held": [item.pk for item in claimed],
        "also": facts.unmet_gold if is_due(num_handed_out) else None,
        "candidates": candidates(new, (facts.stranger_line, facts.own_line)),
        "details": _details(slug),
    }
    return render(request, "curation/_deck.html", context)


def _details(slug: str) -> str:
    """Where the pages of a subject's pictures lie, but for a picture's number."""
    return reverse("image_detail", args=[slug, 0]).removesuffix("0/")


@login_required
@require_POST
def keep_items(request: MemberRequest, pk: int) -> HttpResponse:
    """A tab says that it is still there, and hears where its pictures and the batch stand."""
    batch = batch_of(request, pk, role=Role.GUEST)
    keep(pk, by=request.user, lease=_lease(request))
    shown = [int(item) for item in request.POST.getlist("item")[:MOST_SHOWN] if item.isdecimal()]
    # A test picture among them may be of an earlier batch.
    items = ReviewItem.objects.filter(pk__in=shown, batch__subject=batch.subject_id)
    context = {
        "subject": batch.subject,
        "verdicts": json.dumps(shown_verdicts(items, request.user)),
        "tally": tally(batch, by=request.user),
        "run": batch.runs.first(),
    }
    return render(request, "curation/_stand.html", context)


@login_required
@require_POST
def release_items(request: MemberRequest, pk: int) -> HttpResponse:
    """The tab was closed; it is past hearing an answer."""
    release(pk, by=request.user, lease=_lease(request))
    return HttpResponse(status=204)


@login_required
@require_GET
def look_at_item(request: MemberRequest, pk: int) -> HttpResponse:
    """One picture for the desk, wherever it stands: to go back to it, or to undo."""
    item = item_of(request, pk, "image__measurement", "source", "batch__subject", role=Role.GUEST)
    lines = item.batch.stranger_line, item.batch.own_line
    details = _details(item.batch.subject.slug)
    verdicts = shown_verdicts(ReviewItem.objects.filter(pk=pk), request.user)
    context = {"candidates": candidates([item], lines, verdicts), "details": details}
    return render(request, "curation/_deck.html", context)


def _lease(request: MemberRequest) -> uuid.UUID:
    """Raises SuspiciousOperation (400): only the page's own script asks."""
    try:
        return uuid.UUID(request.POST.get("lease", ""))
    except ValueError as error:
        raise SuspiciousOperation("A lease is a UUID that the tab made.") from error


@login_required
@require_POST
def decide_item(request: MemberRequest, pk: int) -> HttpResponse:
    item = item_of(request, pk, "batch", role=Role.GUEST)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _refuse(request, item, form)
    said = form.cleaned_data
    decision = Decision(
        key=said["key"] or uuid.uuid4(),
        item=item,
        author=request.user,
        choice=said["choice"],
        reasons=said["reasons"],
        seconds=said["seconds"],
        is_blind=said["is_blind"],
    )
    kept = record(decision, saw=said["saw"])
    is_late = kept.is_opinion and not is_compared(kept.item)
    verdict = kept.item.image.verdict if is_late else _said(kept, said["saw"])
    return _answer(request, kept.item, verdict, is_late=is_late)


def _said(decision: Decision, saw: str) -> str:
    """How the picture stands to its author, who is not told of another's verdict."""
    if decision.choice == Choice.SKIP:
        return saw or Verdict.PENDING
    return VERDICTS[Choice(decision.choice)] if decision.is_opinion else decision.item.image.verdict


@login_required
@require_POST
def undo_in_batch(request: MemberRequest, pk: int) -> HttpResponse:
    """Undo the decision with the given key, else this person's newest in the batch."""
    batch = batch_of(request, pk, role=Role.GUEST)
    form = UndoForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else None
    if key:
        mine = Decision.objects.filter(item__batch__subject=batch.subject, author=request.user)
        undone: Decision | None = undo(get_object_or_404(mine, key=key), by=request.user)
    else:
        undone = undo_last(batch, by=request.user)
    if undone is None:
        messages.info(request, "There is nothing of yours left to undo in this batch.")
        return redirect("review_batch", batch.subject.slug, batch.pk)
    item = item_of(request, undone.item_id, role=Role.GUEST)
    verdict = shown_verdicts(ReviewItem.objects.filter(pk=item.pk), request.user)[item.pk]
    return _answer(request, item, verdict, stay=True)


@login_required
@require_POST
def correct_item(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a corrected file: a lesson for the editor; what the editor made is rejected."""
    item = item_of(request, pk)
    form = CorrectionForm(request.POST, request.FILES)
    _need_a_source(form, item)
    if not form.is_valid():
        return _refuse(request, item, form)
    try:
        target = ingest_retouch(item, form.cleaned_data["picture"], by=request.user)
    except Refused as refusal:
        form.add_error("picture", str(refusal))
        return _refuse(request, item, form)
    said = form.cleaned_data
    record_correction(item, target, by=request.user, key=said["key"], reasons=said["reasons"])
    messages.success(request, "Kept as a lesson for the editor.")
    return _answer(request, item, Verdict.REJECTED)


@login_required
@require_POST
def retouch_item(request: MemberRequest, pk: int) -> HttpResponse:
    """What was done in the retouching room: to look at, or to keep as a lesson."""
    item = item_of(request, pk)
    form = RetouchForm(request.POST, request.FILES)
    _need_a_source(form, item)
    if not form.is_valid():
        return _refuse(request, item, form)
    sent = form.cleaned_data
    try:
        if sent["look"]:
            picture = preview(item, sent["recipe"], sent["mask"])
            return HttpResponse(picture, content_type="image/webp")
        target, work = retouch(item, sent["recipe"], sent["mask"], by=request.user)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _refuse(request, item, form)
    work = replace(work, raw_instruction=sent["said"])
    told = {"key": sent["key"], "reasons": sent["reasons"], "work": work}
    record_correction(item, target, by=request.user, **told)
    return _answer(request, item, Verdict.REJECTED)


def _need_a_source(form: Form, item: ReviewItem) -> None:
    if not item.image.parents.exists():
        form.add_error(None, "It was not made from a picture, so there is no edit to correct.")


LATE = (
    "Somebody else had decided this one meanwhile: theirs stands, yours is kept as a second "
    "opinion. Go back to the picture to overrule it."
)


def _answer(
    request: MemberRequest,
    item: ReviewItem,
    verdict: str,
    *,
    stay: bool = False,
    is_late: bool = False,
) -> HttpResponse:
    """JSON for the page's script, else back to the desk: to this item, or on to the next."""
    if not request.accepts("text/html"):
        told = {"told": LATE} if is_late else {}
        return JsonResponse({"item": item.pk, "verdict": verdict, **told})
    if is_late:
        messages.info(request, LATE)
    return redirect(_desk(item) + (f"?item={item.pk}" if stay else ""))


def _refuse(request: MemberRequest, item: ReviewItem, form: Form) -> HttpResponse:
    sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
    if not request.accepts("text/html"):
        return JsonResponse({"errors": sentences}, status=422)
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(f"{_desk(item)}?item={item.pk}")


def _desk(item: ReviewItem) -> str:
    return reverse("review_batch", args=[item.batch.subject.slug, item.batch_id])
