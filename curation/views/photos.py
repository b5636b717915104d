"""Photos in, what they cover, and the page of a single picture."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.coverage import coverage
from curation.forms import ImageFactsForm, UploadForm
from curation.ingest import Intake, ingest_upload
from curation.models import Image, Origin, Subject
from curation.signals import photos_arrived
from curation.views.visible import image_of, subject_of
from flenwheel.http import MemberRequest

ENOUGH_PHOTOS = 10


def photos_page(
    request: MemberRequest,
    subject: Subject,
    *,
    intake: Intake | None = None,
    form: UploadForm | None = None,
) -> HttpResponse:
    """The page, or only what an upload changes on it where htmx asks."""
    photos = Image.objects.photos().filter(subject=subject)
    images = list(photos.select_related("measurement").order_by("pk"))
    context = {
        "subject": subject,
        "images": images,
        "coverage": coverage(subject),
        "num_unmeasured": photos.unmeasured().count(),
        "missing": max(ENOUGH_PHOTOS - len(images), 0),
        "intake": intake,
        "form": form,
    }
    template = "curation/photos.html#body" if request.htmx else "curation/photos.html"
    return render(request, template, context, status=422 if form else 200)


@login_required
@require_GET
def photos(request: MemberRequest, slug: str) -> HttpResponse:
    return photos_page(request, subject_of(request, slug))


@login_required
@require_POST
def upload_photos(request: MemberRequest, slug: str) -> HttpResponse:
    subject = subject_of(request, slug)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return photos_page(request, subject, form=form)
    intake = ingest_upload(subject, form.cleaned_data["all"], by=request.user)
    if intake.images:
        photos_arrived.send(Subject, subject=subject, by=request.user)
    return photos_page(request, subject, intake=intake)


@login_required
@require_http_methods(["GET", "POST"])
def image_detail(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    image = image_of(request, slug, pk)
    form = ImageFactsForm(request.POST or None, instance=image)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("image_detail", slug, pk)
    context = {
        "subject": image.subject,
        "image": image,
        "form": form,
        "parents": image.parents.order_by("pk"),
        "children": image.children.in_use().exclude(origin=Origin.BENCHMARK).order_by("pk")[:24],
    }
    status = 422 if form.is_bound else 200
    return render(request, "curation/image_detail.html", context, status=status)


@login_required
@require_POST
def hold_out(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    """Keep a photo from training, or give it back: held-out photos are what likeness is told by."""
    image = get_object_or_404(
        Image.objects.visible_to(request.user).photos(), subject__slug=slug, pk=pk
    )
    image.held_out = not image.held_out
    image.save(update_fields=["held_out"])
    return _after_change(request, image)


@login_required
@require_POST
def trash(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    image = image_of(request, slug, pk)
    image.move_to_trash()
    return _after_change(request, image)


@login_required
@require_POST
def restore(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    image = image_of(request, slug, pk)
    image.trashed_at = None
    image.save(update_fields=["trashed_at"])
    photos_arrived.send(Subject, subject=image.subject, by=request.user)
    return _after_change(request, image)


def _after_change(request: MemberRequest, image: Image) -> HttpResponse:
    if request.htmx:
        context = {"image": image, "subject": image.subject}
        return render(request, "curation/_photo.html", context)
    return redirect("image_detail", image.subject.slug, image.pk)
