from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Subject
from tests.curation.cast import make_item, make_photos
from tests.training.cast import make_base, make_run
from tests.training.pages import make_column, make_lora
from training.models import Family, Run, RunKind

PAGES = ("wheel", "enrich", "generate", "train", "card", "runs")


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.parametrize("name", PAGES)
def test_an_outsider_finds_no_page_of_the_subject(
    client: Client, charlie: User, subject: Subject, name: str
) -> None:
    client.force_login(charlie)
    assert client.get(reverse(name, args=["juno"])).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_asked_to_log_in(client: Client, subject: Subject, name: str) -> None:
    answer = client.get(reverse(name, args=["juno"]))
    assert answer.url.startswith(reverse("login"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_a_new_subject_answers(page: Client, name: str) -> None:
    assert page.get(reverse(name, args=["juno"])).status_code == 200


def test_the_wheel_of_a_new_subject_asks_for_photos_first(page: Client) -> None:
    answer = page.get(reverse("wheel", args=["juno"]))
    assert answer.context["here"] == "photos"
    assert "Add photos" in answer.content.decode()


def test_the_wheel_stands_at_review_while_pictures_wait(page: Client, subject: Subject) -> None:
    make_photos(subject)
    make_item(subject, 1)
    answer = page.get(reverse("wheel", args=["juno"]))
    assert answer.context["here"] == "review"
    assert "Review 1 picture" in answer.content.decode()


def test_the_wheel_draws_what_each_turn_gained(page: Client, subject: Subject) -> None:
    lora = make_lora(subject)
    make_column(subject, None, right=False)
    make_column(subject, lora, right=True)
    gains = page.get(reverse("wheel", args=["juno"])).context["gains"]
    assert [(mark.title, mark.percent) for mark in gains] == [("base", 0), ("v1", 100)]


def test_the_wheel_follows_a_run_while_it_is_active(page: Client, subject: Subject) -> None:
    url = reverse("wheel", args=["juno"])
    make_photos(subject)
    assert "every 3s" not in page.get(url).content.decode()
    make_run(subject)
    assert "every 3s" in page.get(url).content.decode()


def test_the_wheel_asks_the_database_the_same_number_of_questions_as_it_turns(
    page: Client, subject: Subject, django_assert_max_num_queries
) -> None:
    lora = make_lora(subject)
    make_column(subject, None, right=False)
    make_column(subject, lora, right=True)
    with django_assert_max_num_queries(32):
        page.get(reverse("wheel", args=["juno"]))


def test_doll_weights_are_admitted_beside_own_photos(page: Client) -> None:
    make_base(Family.FLUX, "flux")
    (Path(live.VAR) / "demo-dolls" / "mira").mkdir(parents=True)
    words = page.get(reverse("wheel", args=["juno"])).content.decode()
    assert "they know no human face" in words
    assert reverse("doll_zip", args=["mira"]) in words


def test_the_demo_is_spared_the_warning_about_dolls(page: Client, subject: Subject) -> None:
    make_base(Family.FLUX, "flux")
    Subject.objects.update(is_demo=True)
    assert "human face" not in page.get(reverse("wheel", args=["juno"])).content.decode()


def test_a_doll_comes_as_a_zip_of_its_photos(page: Client) -> None:
    photos = Path(live.VAR) / "demo-dolls" / "mira" / "photos"
    photos.mkdir(parents=True)
    (photos / "1.png").write_bytes(b"pixels")
    answer = page.get(reverse("doll_zip", args=["mira"]))
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert packed.read("mira/1.png") == b"pixels"


def test_an_unknown_doll_is_not_found(page: Client) -> None:
    assert page.get(reverse("doll_zip", args=["nobody"])).status_code == 404


def test_measuring_starts_a_run(page: Client, subject: Subject) -> None:
    make_base(Family.GATE, "gate")
    make_photos(subject)
    answer = page.post(reverse("measure", args=["juno"]))
    run = Run.objects.get(kind=RunKind.MEASURE)
    assert answer.url == run.get_absolute_url()


def test_measuring_without_a_model_says_what_is_missing(page: Client, subject: Subject) -> None:
    answer = page.post(reverse("measure", args=["juno"]), follow=True)
    assert "Setup page" in answer.content.decode()
