"""The first page and new subjects."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from curation.forms import SubjectForm
from curation.models import Image, Role, Subject, Verdict
from curation.models.image import Origin
from flenwheel.http import MemberRequest

COVER_PHOTOS = 4


@login_required
@require_GET
def home(request: MemberRequest) -> HttpResponse:
    photo = Q(images__origin=Origin.PHOTO, images__trashed_at=None)
    waiting = Q(
        images__review_item__isnull=False,
        images__verdict=Verdict.PENDING,
        images__trashed_at=None,
    )
    cover = Image.objects.photos().order_by("pk")[:COVER_PHOTOS]
    subjects = (
        Subject.objects.visible_to(request.user)
        .characters()
        .annotate(
            num_photos=Count("images", filter=photo), num_waiting=Count("images", filter=waiting)
        )
        .prefetch_related(Prefetch("images", queryset=cover, to_attr="cover"))
        .order_by("-num_waiting", "name")
    )
    return render(request, "curation/home.html", {"subjects": subjects})


@login_required
@require_http_methods(["GET", "POST"])
def new_subject(request: MemberRequest) -> HttpResponse:
    form = SubjectForm(request.POST or None)
    if form.is_valid():
        subject = form.save()
        subject.members.add(request.user, through_defaults={"role": Role.CURATOR})
        return redirect("photos", subject.slug)
    status = 422 if form.is_bound else 200
    return render(request, "curation/new_subject.html", {"form": form}, status=status)
