"""What came with a photo from outside is text on every page that shows it."""

from __future__ import annotations

import html

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from curation.files.ingest import ingest_upload
from curation.models import Subject
from tests.curation.cast import make_image
from tests.curation.test_photo_views import jpeg, upload

NAMES = (
    "<img src=x onerror=alert(1)>.jpg",
    '"><script>alert(1).jpg',
    "' onmouseover='alert(1).jpg",
)
WORDS = "\"'></textarea><script>alert(1)</script>"


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def words(page: Client, name: str, *args: object) -> str:
    return page.get(reverse(name, args=["juno", *args])).content.decode()


def is_text(told: str, hostile: str) -> bool:
    return hostile not in told and html.escape(hostile) in told


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_photos_file_is_text(page: Client, subject: Subject, name: str) -> None:
    taken = ingest_upload(subject, [jpeg(name=name)], by=None)
    assert taken.images[0].original_name == name
    assert is_text(words(page, "photos"), name)
    assert name not in words(page, "image_detail", taken.images[0].pk)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_that_is_not_taken_is_text(page: Client, name: str) -> None:
    broken = SimpleUploadedFile(name, b"not a picture")
    assert is_text(upload(page, broken).content.decode(), name)
    for _ in range(2):
        again = upload(page, jpeg(name=name)).content.decode()
    assert is_text(again, f"{name} is here already.")


@pytest.mark.parametrize(
    "facts",
    [
        {"caption": WORDS},
        {"clothes": WORDS},
        {"background": WORDS},
        {"provenance": {"prompt": WORDS}},
        {"provenance": {WORDS: 1}},
        {"provenance": {"said": [WORDS, {"by": WORDS}]}},
        {"provenance": {"loras": [{"name": WORDS, "strength": WORDS, "sha256": "f"}]}},
    ],
    ids=str,
)
def test_what_was_written_about_a_picture_is_text_on_its_page(
    page: Client, subject: Subject, facts: dict[str, object]
) -> None:
    told = words(page, "image_detail", make_image(subject, **facts).pk)
    assert "<script>alert" not in told
    assert "</textarea><script" not in told
    assert html.escape("<script>alert(1)</script>") in told
