"""A guest with a phone: a link, two pictures, and every other door closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Batch, Decision, Invitation, Subject
from tests.browser.desk import COLOURS, make
from tests.curation.cast import invited

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def batch(transactional_db: None, subject: Subject) -> Batch:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    for seed, colour in enumerate(COLOURS):
        make(batch, colour, seed)
    return batch


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, batch: Batch) -> Iterator[Page]:
    """Nobody's phone; an error on a page fails the test."""
    context = browser.new_context(base_url=live_server.url, viewport=PHONE, has_touch=True)
    errors: list[str] = []
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def test_a_guest_reviews_by_a_link_and_finds_nothing_else(phone: Page, batch: Batch) -> None:
    phone.goto(reverse("join", args=[invited(batch)[1]]))
    phone.get_by_label("Your name").fill("Mia")
    phone.get_by_role("button", name="To the pictures").tap()
    expect(phone.locator(".desk.live")).to_be_visible()
    expect(phone.get_by_role("button", name="edit")).to_be_hidden()
    expect(phone.get_by_text("Edit instead")).to_be_hidden()
    phone.get_by_role("button", name="accept", exact=True).tap()
    phone.get_by_role("button", name="reject", exact=True).tap()
    expect(phone.locator("[data-saved]")).to_have_text("all decisions saved")
    mia = User.objects.get(first_name="Mia")
    said = Decision.objects.filter(author=mia).values_list("choice", flat=True)
    assert list(said) == ["accept", "reject"]
    slug = batch.subject.slug
    links = [link.get_attribute("href") or "" for link in phone.locator("a:visible").all()]
    assert [link for link in links if link.startswith("/")] == []
    for name in ("wheel", "photos", "batches", "people", "datasets", "runs"):
        answer = phone.goto(reverse(name, args=[slug]))
        assert answer
        assert answer.status == 404
    expect(phone.get_by_text("Your link opens the pictures")).to_be_visible()


def test_e_does_nothing_for_a_guest(phone: Page, batch: Batch) -> None:
    phone.goto(reverse("join", args=[invited(batch)[1]]))
    phone.get_by_role("button", name="To the pictures").tap()
    expect(phone.locator(".desk.live")).to_be_visible()
    phone.keyboard.press("e")
    expect(phone.locator("#edit")).to_be_hidden()
    expect(phone.locator("#edit[open]")).to_have_count(0)


def test_a_guest_whose_link_has_ended_is_told_and_a_new_one_sends_what_was_kept(
    phone: Page, batch: Batch
) -> None:
    phone.goto(reverse("join", args=[invited(batch)[1]]))
    phone.get_by_role("button", name="To the pictures").tap()
    expect(phone.locator(".desk.live")).to_be_visible()
    Invitation.objects.update(revoked_at=timezone.now())
    asked: list[Request] = []
    phone.on("request", lambda one: asked.append(one) if "/decide/" in one.url else None)
    phone.get_by_role("button", name="accept", exact=True).tap()
    expect(phone.locator("[data-saved]")).to_contain_text("1 waiting to be sent. Your link has")
    phone.wait_for_timeout(1200)
    assert len(asked) == 1
    phone.goto(reverse("join", args=[invited(batch)[1]]))
    phone.get_by_role("button", name="Join").tap()
    expect(phone.locator("[data-saved]")).to_have_text("all decisions saved")
    assert Decision.objects.get().author.username.startswith("guest-")


def test_a_link_is_copied_where_the_page_may_not_touch_the_clipboard(
    page: Page, subject: Subject
) -> None:
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto(reverse("people", args=[subject.slug]))
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_label("The link", exact=True)
    link = field.input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copied]")).to_have_text("Copied.")
    chosen = "el => el.value.slice(el.selectionStart, el.selectionEnd)"
    assert field.evaluate(chosen) == link
    note = page.get_by_label("For whom").first
    note.focus()
    page.keyboard.press("Control+v")
    expect(note).to_have_value(link)
