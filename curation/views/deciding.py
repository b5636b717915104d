"""What people say at the desk: decide, take back, correct. Scripts are answered in JSON."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from curation.corrections.correcting import preview, retouch
from curation.corrections.lessons import Handwork
from curation.files.ingest import Refused, ingest_retouch
from curation.forms import CorrectionForm, DecisionForm, RetouchForm, UndoForm
from curation.models import Batch, Choice, Decision, Image, ReviewItem, Role
from curation.reviewing.deciding import correct, record, undo, undo_last
from curation.reviewing.opinions import VERDICTS, is_compared, shown_verdicts
from curation.views.visible import batch_of, item_of
from flenwheel.http import MemberRequest, known_lately, signed


@known_lately
@login_required
@require_POST
@signed
def decide_item(request: MemberRequest, pk: int) -> HttpResponse:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _refuse(request, item_of(request, pk, role=Role.GUEST), form)
    said = form.cleaned_data
    decision = Decision(
        key=said["key"] or uuid.uuid4(),
        item_id=pk,
        author=request.user,
        choice=said["choice"],
        reasons=said["reasons"],
        seconds=said["seconds"],
        is_blind=said["is_blind"],
    )
    try:
        kept = record(decision, saw=said["saw"], authorise=True)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return _tell(request, kept, said["saw"])


def _tell(request: MemberRequest, kept: Decision, saw: str) -> HttpResponse:
    is_late = kept.is_opinion and not is_compared(kept.item)
    verdict = kept.item.image.verdict if is_late else _said(kept, saw)
    return _answer(request, kept.item, verdict, is_late=is_late)


def _said(decision: Decision, saw: str) -> str:
    """How the picture stands to its author, who is not told of another's verdict."""
    if decision.choice == Choice.SKIP:
        return saw
    return VERDICTS[Choice(decision.choice)] if decision.is_opinion else decision.item.image.verdict


@login_required
@require_POST
@signed
def undo_in_batch(request: MemberRequest, pk: int) -> HttpResponse:
    """Undo the decision with the given key, else this person's newest in the batch."""
    batch = batch_of(request, pk, role=Role.GUEST)
    form = UndoForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else None
    try:
        undone = _undo(request, batch, key)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    if undone is None:
        messages.info(request, "There is nothing of yours left to undo in this batch.")
        return redirect("review_batch", batch.subject.slug, batch.pk)
    item = item_of(request, undone.item_id, role=Role.GUEST)
    verdict = shown_verdicts(ReviewItem.objects.filter(pk=item.pk), request.user)[item.pk]
    return _answer(request, item, verdict, stay=True)


def _undo(request: MemberRequest, batch: Batch, key: uuid.UUID | None) -> Decision | None:
    """A test picture that the desk showed may be of an earlier batch.

    Raises:
        ObjectDoesNotExist: there is no such decision of theirs, where they may still review.
    """
    by = request.user
    if key is None:
        return undo_last(batch, by=by, authorise=True)
    mine = Decision.objects.get(key=key, author=by, item__batch__subject=batch.subject)
    return undo(mine, by=by, authorise=True)


@login_required
@require_POST
@signed
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
    messages.success(request, "Kept as a lesson for the editor.")
    return _teach(request, item, target, form.cleaned_data)


@login_required
@require_POST
@signed
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
    return _teach(request, item, target, sent, replace(work, raw_instruction=sent["said"]))


def _teach(
    request: MemberRequest,
    item: ReviewItem,
    target: Image,
    said: Mapping[str, Any],
    work: Handwork | None = None,
) -> HttpResponse:
    rejection = Decision(
        key=said["key"] or uuid.uuid4(),
        item=item,
        author=request.user,
        choice=Choice.REJECT,
        reasons=said["reasons"],
    )
    kept = correct(rejection, target, work=work, saw=said["saw"])
    return _tell(request, kept, said["saw"])


def _need_a_source(form: Form, item: ReviewItem) -> None:
    if not item.is_correctable:
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
