from __future__ import annotations

import io

import PIL.Image
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from curation.models import Image, Subject
from tests.curation.cast import make_image, make_photos


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def jpeg(colour: str = "teal", name: str = "a.jpg") -> SimpleUploadedFile:
    data = io.BytesIO()
    PIL.Image.new("RGB", (300, 300), colour).save(data, "JPEG")
    return SimpleUploadedFile(name, data.getvalue())


def upload(client: Client, *files: SimpleUploadedFile, **headers: str):
    return client.post(reverse("upload_photos", args=["juno"]), {"photos": files}, headers=headers)


def test_an_upload_becomes_photos_and_a_bad_file_costs_nothing_else(
    page: Client, subject: Subject
) -> None:
    broken = SimpleUploadedFile("notes.txt", b"not a picture")
    answer = upload(page, jpeg("teal", "a.jpg"), broken, jpeg("olive", "b.jpg"))
    words = answer.content.decode()
    assert Image.objects.photos().filter(subject=subject).count() == 2
    assert "2 photos taken in" in words
    assert "notes.txt" in words


def test_htmx_gets_only_what_an_upload_changes(page: Client) -> None:
    words = upload(page, jpeg(), **{"HX-Request": "true"}).content.decode()
    assert words.strip().startswith('<div id="body"')
    assert "<html" not in words


def test_an_empty_upload_says_what_to_choose(page: Client) -> None:
    answer = upload(page)
    assert answer.status_code == 422
    assert "Choose at least one photo" in answer.content.decode()


def test_an_outsider_cannot_upload_nor_see(client: Client, charlie: User, subject: Subject) -> None:
    client.force_login(charlie)
    assert client.get(reverse("photos", args=["juno"])).status_code == 404
    assert upload(client, jpeg()).status_code == 404
    assert not Image.objects.exists()


def test_a_held_out_photo_is_never_trained_on_and_can_come_back(
    page: Client, subject: Subject
) -> None:
    photo = make_photos(subject, 1)[0]
    switch = reverse("hold_out", args=["juno", photo.pk])
    page.post(switch)
    assert not Image.objects.trainable().exists()
    page.post(switch)
    assert Image.objects.trainable().get() == photo


def test_a_removed_photo_lies_in_the_trash_until_it_is_put_back(
    page: Client, subject: Subject
) -> None:
    photo = make_photos(subject, 1)[0]
    words = page.post(
        reverse("trash_image", args=["juno", photo.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "Put it back" in words
    assert not Image.objects.in_use().exists()
    page.post(reverse("restore_image", args=["juno", photo.pk]))
    assert Image.objects.in_use().get() == photo


def test_a_person_may_say_what_a_photo_shows(page: Client, subject: Subject) -> None:
    photo = make_image(subject)
    facts = {"view": "front", "expression": "sad", "pose": "portrait", "caption": "at the sea"}
    page.post(reverse("image_detail", args=["juno", photo.pk]), facts)
    photo.refresh_from_db()
    assert photo.shot is not None
    assert photo.expression == "sad"
    assert photo.written_caption() == "at the sea"


def test_a_word_outside_the_vocabulary_is_refused(page: Client, subject: Subject) -> None:
    photo = make_image(subject)
    answer = page.post(reverse("image_detail", args=["juno", photo.pk]), {"view": "from above"})
    assert answer.status_code == 422


def test_the_page_costs_the_same_for_many_photos(
    page: Client, subject: Subject, django_assert_max_num_queries
) -> None:
    make_photos(subject, 20)
    with django_assert_max_num_queries(12):
        page.get(reverse("photos", args=["juno"]))
