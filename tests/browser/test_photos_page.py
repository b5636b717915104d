"""Photos dropped onto the page."""

from __future__ import annotations

import io

import PIL.Image
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from curation.models import Image, Subject


def png(colour: str) -> bytes:
    data = io.BytesIO()
    PIL.Image.new("RGB", (300, 300), colour).save(data, "PNG")
    return data.getvalue()


def choose(page: Page, *names: str) -> None:
    files = [
        {"name": name, "mimeType": "image/png", "buffer": png(name.removesuffix(".png"))}
        for name in names
    ]
    page.locator("[name=photos]").set_input_files(files)


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


def test_what_was_refused_and_what_can_be_put_back_outlast_the_next_look_at_the_measurement(
    page: Page, subject: Subject
) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    letter = {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear Juno"}
    plum = {"name": "b.png", "mimeType": "image/png", "buffer": png("plum")}
    teal = {"name": "a.png", "mimeType": "image/png", "buffer": png("teal")}
    page.locator("[name=photos]").set_input_files([letter, plum, teal])
    page.get_by_role("button", name="Remove this photo").first.click()
    expect(page.get_by_text("Moved to the trash.")).to_be_visible()
    with page.expect_response(lambda answer: "gone=" in answer.url):
        pass
    expect(page.get_by_text("1 photo ·")).to_be_visible()
    expect(page.get_by_text("letter.png")).to_be_visible()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_role("button", name="Remove this photo")).to_have_count(2)


def test_files_dropped_during_an_upload_are_refused_aloud(page: Page, subject: Subject) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    held: list[Route] = []
    page.route("**/upload/", lambda route: held.append(route))
    choose(page, "teal.png")
    expect(page.locator("[name=photos]")).to_be_disabled()
    drop = "new DragEvent('drop', {dataTransfer: new DataTransfer(), bubbles: true})"
    page.evaluate(f"document.body.dispatchEvent({drop})")
    expect(page.get_by_text("Drop these again when it is done")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_text("1 photo taken in")).to_be_visible()
    expect(page.locator("[name=photos]")).to_be_enabled()


def test_an_upload_that_broke_off_keeps_its_files_to_be_sent_again(
    page: Page, subject: Subject
) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    page.route("**/upload/", lambda route: route.fulfill(status=500))
    choose(page, "teal.png", "plum.png")
    expect(page.get_by_text("some photos may have arrived")).to_be_visible()
    page.unroute("**/upload/")
    page.get_by_role("button", name="Send them again").click()
    expect(page.get_by_text("2 photos taken in")).to_be_visible()
    expect(page.get_by_text("some photos may have arrived")).to_be_hidden()
    expect(page.get_by_role("button", name="Send them again")).to_be_hidden()


def test_the_keyboard_keeps_its_place_while_the_page_follows_the_measurement(
    page: Page, subject: Subject
) -> None:
    page.goto(reverse("photos", args=[subject.slug]))
    choose(page, "teal.png")
    hold_out = page.get_by_role("button", name="Hold out")
    hold_out.focus()
    with page.expect_response(lambda answer: answer.url.endswith("/photos/")):
        pass
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping')")
    expect(hold_out).to_be_focused()
