"""Several people: second opinions, disputes and their settling, test pictures, reviewers."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Prefetch, Q
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curation.forms import GoldForm, JudgeTwiceForm, SettleForm
from curation.models import Batch, Decision, Image, ReviewItem, Role, Verdict
from curation.reviewing.gold import mark, unmark
from curation.reviewing.opinions import judge_twice
from curation.reviewing.reviewers import records
from curation.reviewing.settling import settle as settle_dispute
from curation.reviewing.standing import since_the_first, that_count
from curation.views.paging import key_in, page_of
from curation.views.reviewing import reviewer_of
from curation.views.visible import item_of, leads, subject_of
from flenwheel.http import MemberRequest

DISPUTES = 12
"""Disputed pictures on a page."""


@login_required
@require_POST
def set_judged_twice(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """The share that is wanted, not a switch: pressed twice is pressed once."""
    batch = get_object_or_404(Batch, subject=subject_of(request, slug, role=Role.CURATOR), pk=pk)
    form = JudgeTwiceForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Choose one of the shares on the page.", status=422)
    judge_twice(batch, float(form.cleaned_data["share"]))
    return redirect("numbers", slug, pk)


@login_required
@require_GET
def disputed(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """Pictures about which two people differ, oldest first, a page at a time by key."""
    batch = get_object_or_404(Batch, subject=subject_of(request, slug, role=Role.CURATOR), pk=pk)
    disputes = ReviewItem.objects.disputed().filter(batch=batch)
    after = key_in(request, "after")
    later = disputes if after is None else disputes.filter(pk__gt=after)
    words = Decision.objects.verdicts().select_related("author").order_by("pk")
    said = later.select_related("image", "source").prefetch_related(Prefetch("decisions", words))
    page = list(said[: DISPUTES + 1])
    context = {
        "subject": batch.subject,
        "batch": batch,
        "reviewer": reviewer_of(request),
        "disputes": [
            (item, that_count(since_the_first(item.decisions.all())), uuid.uuid4())
            for item in page[:DISPUTES]
        ],
        "num_disputed": disputes.count(),
        "after": after,
        "next_after": page[DISPUTES - 1].pk if len(page) > DISPUTES else None,
    }
    return render(request, "curation/disputed.html", context)


@login_required
@require_POST
def settle(request: MemberRequest, pk: int) -> HttpResponse:
    """Somebody who has seen both words decides: that stands."""
    item = item_of(request, pk, "batch__subject", role=Role.CURATOR)
    back = reverse("disputed", args=[item.batch.subject.slug, item.batch_id])
    form = SettleForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Accept or reject the picture.", status=422)
    said = form.cleaned_data
    key = said["key"] or uuid.uuid4()
    decision = Decision(key=key, item=item, author=request.user, choice=said["choice"])
    if not settle_dispute(decision, is_test=said["is_test"]):
        messages.info(request, "Somebody had settled that one already: theirs stands.")
    return redirect(back)


@login_required
@require_GET
def tests(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """The test pictures of a batch, and the decided ones that may become such."""
    batch = get_object_or_404(Batch, subject=subject_of(request, slug, role=Role.CURATOR), pk=pk)
    answered = Q(decisions__in=Decision.objects.opinions().filter(item__batch=batch))
    chosen = batch.items.exclude(gold="").select_related("image")
    decided = Image.objects.in_use().filter(review_item__batch=batch, review_item__gold="")
    context = {
        "subject": batch.subject,
        "batch": batch,
        "tests": chosen.annotate(
            num_answers=Count("decisions", filter=answered),
            num_right=Count("decisions", filter=answered & Q(decisions__choice=F("gold"))),
        ),
    }
    candidates = decided.exclude(verdict=Verdict.PENDING).select_related("review_item")
    return render(request, "curation/tests.html", context | page_of(request, candidates))


@login_required
@require_POST
def set_gold(request: MemberRequest, pk: int) -> HttpResponse:
    """Make a decided picture a test, or no longer, as the button said."""
    item = item_of(request, pk, "batch__subject", role=Role.CURATOR)
    form = GoldForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Say is_gold=yes or is_gold=no.")
    if form.cleaned_data["is_gold"] == "no":
        unmark(item)
        return redirect("tests", item.batch.subject.slug, item.batch_id)
    try:
        mark(item, by=request.user)
    except ValueError as error:
        messages.error(request, str(error))
    return redirect("tests", item.batch.subject.slug, item.batch_id)


@login_required
@require_GET
def reviewers(request: MemberRequest, slug: str) -> HttpResponse:
    """How each reviewer works: everybody's numbers to curators, to others their own."""
    subject = subject_of(request, slug)
    is_lead = leads(request, subject)
    context = {
        "subject": subject,
        "leads": is_lead,
        "records": records(subject, only=None if is_lead else request.user),
        "is_compared": subject.batches.filter(judged_twice__gt=0).exists(),
        "has_tests": ReviewItem.objects.filter(batch__subject=subject).exclude(gold="").exists(),
    }
    return render(request, "curation/reviewers.html", context)
