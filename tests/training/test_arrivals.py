"""Every photo comes to be measured, whatever happened around its arrival."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import Image, Measurement, Subject
from curation.trashing import move_to_trash
from tests.curation.cast import make_image, make_photos
from tests.training.cast import make_base, make_run
from tests.training.pages import make_finished_run
from training import demo, execution
from training.arrivals import measure_missed
from training.models import Family, Run, RunKind, RunStatus


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def measure_runs(subject: Subject) -> int:
    return Run.objects.filter(kind=RunKind.MEASURE, subject=subject).count()


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_comes_while_others_are_measured_is_measured_too() -> None:
    call_command("register_packs", verbosity=0)
    juno = demo.load(0)
    late = Image.objects.photos().filter(subject=juno).order_by("pk")[0]
    move_to_trash(late)

    def bring_back(**_: Any) -> None:
        Image.objects.filter(pk=late.pk).update(trashed_at=None)

    post_save.connect(bring_back, sender=Measurement)
    try:
        execution.work(cpu=True)
    finally:
        post_save.disconnect(bring_back, sender=Measurement)
    run = Run.objects.get(kind=RunKind.MEASURE)
    num_photos = Image.objects.photos().filter(subject=juno).count()
    assert (run.status, run.progress) == (RunStatus.SUCCEEDED, num_photos)
    assert not Image.objects.unmeasured().exists()


def test_photos_whose_arrival_nobody_heard_of_are_measured(subject: Subject) -> None:
    make_base(Family.GATE, "gate")
    make_photos(subject)
    measure_missed()
    measure_missed()
    assert measure_runs(subject) == 1


def test_photos_that_a_finished_measurement_missed_are_measured(subject: Subject) -> None:
    make_base(Family.GATE, "gate")
    make_finished_run(subject, RunKind.MEASURE)
    make_photos(subject, 1)
    measure_missed()
    assert measure_runs(subject) == 2


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED])
def test_a_measurement_that_failed_or_was_cancelled_is_left_to_people(
    subject: Subject, status: RunStatus
) -> None:
    make_base(Family.GATE, "gate")
    make_photos(subject, 1)
    make_run(subject, RunKind.MEASURE, status=status, finished_at=timezone.now())
    measure_missed()
    assert measure_runs(subject) == 1


def test_where_everything_is_measured_nothing_is_started(subject: Subject) -> None:
    make_base(Family.GATE, "gate")
    make_image(subject, 2, trashed_at=timezone.now())
    photo = make_image(subject, 1)
    Measurement.objects.create(image=photo, num_faces=1, sharpness=1.0)
    measure_missed()
    assert not Run.objects.exists()


def test_without_face_models_photos_wait_in_silence(
    subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    make_photos(subject)
    measure_missed()
    assert not Run.objects.exists()
    assert caplog.records == []


def test_photos_that_nobody_measures_can_be_measured_from_their_page(
    page: Client, subject: Subject
) -> None:
    make_photos(subject)
    assert "Measure them" in page.get(reverse("photos", args=["juno"])).content.decode()


def test_while_photos_are_measured_the_page_says_how_far_it_is(
    page: Client, subject: Subject
) -> None:
    make_photos(subject)
    run = make_run(subject, RunKind.MEASURE, total=6)
    words = page.get(reverse("photos", args=["juno"])).content.decode()
    assert "Measure them" not in words
    assert run.get_absolute_url() in words


def test_a_measurement_that_failed_says_why_beside_the_button(
    page: Client, subject: Subject
) -> None:
    make_photos(subject)
    facts = {"status": RunStatus.FAILED, "failure": "The disk is full."}
    make_run(subject, RunKind.MEASURE, finished_at=timezone.now(), **facts)
    words = page.get(reverse("photos", args=["juno"])).content.decode()
    assert "The disk is full." in words
    assert "Measure them" in words
