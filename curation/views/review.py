"""The review desk: what waits, one picture at a time, and what people say about it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import SuspiciousOperation
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from curation.members.guests import is_guest
from curation.models import Batch, ReviewItem, Role, Verdict, reviewable_by
from curation.reviewing.claiming import CLAIM, PAGE, claim, keep, release
from curation.reviewing.comparing import compare
from curation.reviewing.desk import (
    MODULES,
    Candidate,
    candidates,
    first_of,
    reason_counts,
    tally,
    tiles_of,
    undoable,
)
from curation.reviewing.gold import is_due
from curation.reviewing.numbers import pace, tables
from curation.reviewing.opinions import ready_for, shares, shown_verdicts
from curation.views.paging import key_in
from curation.views.reviewing import reviewer_of
from curation.views.visible import batch_of, leads, subject_of
from flenwheel.http import MemberRequest, known_lately, row_keys

PAGES = {"1": PAGE, "2": 2 * PAGE}
"""Pictures held by a tab that shows a page of the grid, and by one that has the next at hand."""
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
    # The grid shows thumbnails: the rest of each picture comes with the page's first claim.
    tiles = tiles_of(batch, by=request.user) if is_grid else []
    deck = [] if is_grid else first_of(batch, by=request.user, first=key_in(request, "item"))
    context = {
        "subject": batch.subject,
        "batch": batch,
        "drawn": _drawn(request, deck, slug),
        "is_grid": is_grid,
        "tiles": tiles,
        "page_of_grid": PAGE,
        "current": deck[0] if deck else None,
        "reasons": reason_counts(batch),
        "desk_modules": MODULES,
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
    is_lead = leads(request, batch.subject)
    context = {
        "subject": batch.subject,
        "batch": batch,
        "tally": counted,
        "num_accepted": sum(share.accepted for share in by_gate.rows),
        "pace": pace(batch, counted.waiting),
        "tables": [by_gate, *others],
        "leads": is_lead,
        "comparison": compare(batch),
        "shares": shares(batch) if is_lead else [],
        "num_disputed": ReviewItem.objects.disputed().filter(batch=batch).count(),
        **batch.items.aggregate(
            num_spared=Count("pk", filter=Q(is_spared=True, decided_at=None)),
            num_tests=Count("pk", filter=~Q(gold="")),
        ),
    }
    return render(request, "curation/numbers.html", context)


@known_lately
@login_required
@require_POST
def claim_items(request: MemberRequest, pk: int) -> HttpResponse:
    """The next pictures for one tab to hold, and which those are: it `have`s some already, and may
    want `more` than those."""
    count = PAGES.get(request.POST.get("pages", ""), CLAIM)
    lease = _lease(request)
    claimed = claim(pk, by=request.user, lease=lease, count=count, more="more" in request.POST)
    have = set(request.POST.getlist("have"))
    new = [item for item in claimed if str(item.pk) not in have]
    num_handed_out = sum(item.lease != lease for item in claimed)  # As they were before.
    if not claimed:
        batch_of(request, pk, role=Role.GUEST)  # Not found is not the same as nothing left.
        return _deck(request, [], slug="")
    first: Any = claimed[0]
    also = first.unmet_gold if is_due(num_handed_out) else None
    held = [item.pk for item in claimed]
    return _deck(request, candidates(new), slug=first.slug, held=held, also=also)


def _deck(
    request: MemberRequest, deck: list[Candidate], *, slug: str, **facts: object
) -> HttpResponse:
    context = _shown(request, deck, slug) | facts
    return render(request, "curation/_deck.html", context, using="jinja2")


def _drawn(request: MemberRequest, deck: list[Candidate], slug: str) -> dict[str, str]:
    """The page's own parts of it, the first picture shown."""
    context = _shown(request, deck, slug) | {"current": deck[0].item.pk if deck else None}
    parts = {
        part: render_to_string(f"curation/_{part}.html", context, using="jinja2")
        for part in ("candidates", "frames")
    }
    return {part: mark_safe(html) for part, html in parts.items()}  # noqa: S308 (Jinja escapes)


def _shown(request: MemberRequest, deck: list[Candidate], slug: str) -> dict[str, object]:
    """`details` is where the pages of a subject's pictures lie, but for a picture's number."""
    details = reverse("image_detail", args=[slug, 0]).removesuffix("0/") if slug else ""
    return {"candidates": deck, "details": "" if is_guest(request.user) else details}


@login_required
@require_POST
def keep_items(request: MemberRequest, pk: int) -> HttpResponse:
    """A tab says that it is still there, and hears where its pictures and the batch stand."""
    batch = batch_of(request, pk, role=Role.GUEST)
    keep(pk, by=request.user, lease=_lease(request))
    shown = row_keys(request.POST.getlist("item")[:MOST_SHOWN])
    # A test picture among them may be of an earlier batch.
    items = ReviewItem.objects.filter(pk__in=shown, batch__in=reviewable_by(request.user))
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
    shown = ReviewItem.objects.with_all_shown().select_related("batch__subject")
    item = get_object_or_404(shown, pk=pk, batch__in=reviewable_by(request.user))
    verdicts = shown_verdicts(ReviewItem.objects.filter(pk=pk), request.user)
    return _deck(request, candidates([item], verdicts), slug=item.batch.subject.slug)


def _lease(request: MemberRequest) -> uuid.UUID:
    """Raises SuspiciousOperation (400): only the page's own script asks."""
    try:
        return uuid.UUID(request.POST.get("lease", ""))
    except ValueError as error:
        raise SuspiciousOperation("A lease is a UUID that the tab made.") from error
