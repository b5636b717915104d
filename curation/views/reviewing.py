"""How a reviewer likes the desk: keys of one's own, and judging without the gate's opinion."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import Form
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from curation.forms import BlindForm, KeyForm
from curation.models import Reviewer
from flenwheel.http import MemberRequest


def reviewer_of(request: MemberRequest) -> Reviewer:
    """What this person chose, else what is usual; one query, and nothing is saved."""
    return Reviewer.objects.filter(user=request.user).first() or Reviewer(user=request.user)


@login_required
@require_POST
def bind_key(request: MemberRequest) -> HttpResponse:
    """Give an action another key; without a key, its usual ones again."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    with transaction.atomic():
        Reviewer.objects.get_or_create(user=request.user)
        reviewer = Reviewer.objects.select_for_update().get(user=request.user)
        reviewer.keys = form.bound(reviewer.keys)
        reviewer.save(update_fields=["keys"])
    return JsonResponse({"keys": reviewer.keys})


@login_required
@require_POST
def judge_blind(request: MemberRequest) -> HttpResponse:
    form = BlindForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    is_blind = form.cleaned_data["is_blind"] == "yes"
    Reviewer.objects.update_or_create(user=request.user, defaults={"is_blind": is_blind})
    return JsonResponse({"is_blind": is_blind})


def _refused(form: Form) -> JsonResponse:
    sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
    return JsonResponse({"errors": sentences}, status=422)
