"""Photos dropped onto the page."""

from __future__ import annotations

import io

import PIL.Image
from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Image, Subject


def png(colour: str) -> bytes:
    data = io.BytesIO()
    PIL.Image.new("RGB", (300, 300), colour).save(data, "PNG")
    return data.getvalue()


def test_chosen_files_go_up_at_once_and_a_refusal_names_its_file(
    page: Page, subject: Subject
) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    page.locator("[name=photos]").set_input_files(
        [
            {"name": "a.png", "mimeType": "image/png", "buffer": png("teal")},
            {"name": "b.png", "mimeType": "image/png", "buffer": png("plum")},
            {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear Juno"},
        ]
    )
    expect(page.get_by_text("2 photos taken in")).to_be_visible()
    expect(page.get_by_text("letter.png")).to_be_visible()
    expect(page.locator(".photo")).to_have_count(2)
    assert Image.objects.photos().count() == 2


def test_a_photo_is_held_out_removed_and_put_back_in_place(page: Page, subject: Subject) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    page.locator("[name=photos]").set_input_files(
        [{"name": "a.png", "mimeType": "image/png", "buffer": png("teal")}]
    )
    page.get_by_role("button", name="Hold out").click()
    expect(page.get_by_text("held out", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove this photo").click()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_role("button", name="Use for training")).to_be_visible()
    assert Image.objects.in_use().get().held_out
