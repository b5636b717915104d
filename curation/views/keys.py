"""A reviewer's own keys."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from curation.forms import KeyForm
from curation.models import Reviewer
from flenwheel.http import MemberRequest


def keys_of(request: MemberRequest) -> dict[str, str]:
    """What this person changed; one query."""
    kept = Reviewer.objects.filter(user=request.user).first()
    return kept.keys if kept else {}


@login_required
@require_POST
def bind_key(request: MemberRequest) -> HttpResponse:
    """Give an action another key; without a key, its usual ones again."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
        return JsonResponse({"errors": sentences}, status=422)
    with transaction.atomic():
        Reviewer.objects.get_or_create(user=request.user)
        reviewer = Reviewer.objects.select_for_update().get(user=request.user)
        reviewer.keys = form.bound(reviewer.keys)
        reviewer.save(update_fields=["keys"])
    return JsonResponse({"keys": reviewer.keys})
