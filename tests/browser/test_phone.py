"""Every page of a subject in the hand: 390 pixels wide, by thumb."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import FloatRect, Page, expect

from curation.datasets.freezing import freeze_character
from curation.models import Decision, Subject
from tests.curation.cast import make_item, make_photos
from tests.training.cast import make_run
from tests.training.pages import make_column, make_lora
from training.models import Run, RunKind

WIDTH = 390
PAGES = ("wheel", "photos", "batches", "datasets", "runs", "card", "enrich", "generate", "train")


@pytest.fixture
def phone(page: Page, subject: Subject) -> Page:
    page.set_viewport_size({"width": WIDTH, "height": 844})
    make_photos(subject)
    make_column(subject, None, right=False)
    make_column(subject, make_lora(subject), right=True)
    make_run(subject, RunKind.ENRICH, total=4)
    for number in range(100, 104):
        make_item(subject, number, view="front", expression="sad", pose="portrait")
    return page


def boxes(page: Page, selector: str) -> list[FloatRect]:
    found = [element.bounding_box() for element in page.locator(selector).all()]
    return [box for box in found if box is not None]


def test_no_page_is_wider_than_a_phone(phone: Page, subject: Subject) -> None:
    snapshot = freeze_character(subject, by=None)
    paths = [reverse(name, args=[subject.slug]) for name in PAGES]
    paths.append(reverse("snapshot_detail", args=[subject.slug, snapshot.pk]))
    paths.append(subject.runs.latest("pk").get_absolute_url())
    widths = {}
    for path in paths:
        phone.goto(path)
        widths[path] = phone.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > WIDTH} == {}


def test_every_tab_is_on_the_screen(phone: Page, subject: Subject) -> None:
    phone.goto(subject.get_absolute_url())
    assert max(box["x"] + box["width"] for box in boxes(phone, ".tabs a")) <= WIDTH


def test_the_desks_buttons_all_fit_and_are_as_large_as_a_thumb(
    phone: Page, subject: Subject
) -> None:
    phone.goto(reverse("review", args=[subject.slug]))
    expect(phone.locator(".desk.live")).to_be_visible()
    keys = boxes(phone, ".key:visible")
    assert max(box["x"] + box["width"] for box in keys) <= WIDTH
    assert min(box["height"] for box in keys) >= 44


def test_the_next_picture_is_shown_from_the_top(phone: Page, subject: Subject) -> None:
    phone.goto(reverse("review", args=[subject.slug]))
    expect(phone.locator(".desk.live")).to_be_visible()
    phone.evaluate("scrollTo({top: 600, behavior: 'instant'})")
    phone.get_by_role("button", name="skip").click()
    assert phone.evaluate("scrollY") == 0


def test_a_page_over_plain_http_decides_all_the_same(phone: Page, subject: Subject) -> None:
    """Browsers give `randomUUID` to secure pages alone, and to this machine's own."""
    phone.add_init_script("delete Crypto.prototype.randomUUID")
    phone.goto(reverse("review", args=[subject.slug]))
    assert phone.evaluate("typeof crypto.randomUUID") == "undefined"
    phone.get_by_role("button", name="accept", exact=True).click()
    phone.get_by_role("button", name="reject", exact=True).click()
    expect(phone.locator("[data-saved]")).to_have_text("all decisions saved")
    said = Decision.objects.order_by("pk")
    assert [one.choice for one in said] == ["accept", "reject"]


def test_the_next_thing_to_do_is_on_the_wheels_first_screen(phone: Page, subject: Subject) -> None:
    run = Run.objects.claim(make_run(subject, RunKind.TRAIN).pk, worker="here/1/0")
    assert run is not None
    run.fail("The disk is full. " * 8)
    phone.goto(subject.get_absolute_url())
    expect(phone.locator("[data-next]")).to_be_in_viewport(ratio=1)
