"""Looking closer at the review desk: the reference, the loupe, 100 %, siblings, bulk words."""

from __future__ import annotations

import PIL.Image
import pytest
from playwright.sync_api import Page, expect

from curation.models import Batch, Image, Measurement, Origin, ReviewItem, Subject
from curation.shots import Shot
from tests.browser.desk import SWIPE, saved, sit_down, verdicts
from tests.curation.cast import keep_made

SAD, HAPPY = Shot("left profile", "sad"), Shot("front", "smiling")
SHOWN = ".candidate.current .stage .beside"


def picture(subject: Subject, seed: int, **facts: object) -> Image:
    shade = PIL.Image.linear_gradient("L").resize((1600, 1600)).rotate(90 * (seed % 4))
    pixels = PIL.Image.merge("RGB", (shade, shade, PIL.Image.new("L", shade.size, 4 * seed)))
    facts = {"origin": Origin.ENRICHED, "shot": SAD, "depth": 1} | facts
    return keep_made(subject, pixels, provenance={"seed": seed}, **facts)


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    photos = [picture(subject, 50 + n, origin=Origin.PHOTO, depth=0) for n in range(2)]
    nearest = [{"sha256": photo.sha256, "shot": "neutral, front"} for photo in photos]
    return [
        ReviewItem.objects.create(
            batch=batch, image=picture(subject, n, shot=shot), source=photos[0], nearest=nearest
        )
        for n, shot in enumerate((SAD, SAD, SAD, HAPPY))
    ]


def test_a_tap_pins_the_reference_for_the_next_pictures_too(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    shown = page.locator(SHOWN)
    page.keyboard.press("r")
    first = shown.get_attribute("src")
    page.keyboard.press("a")
    expect(shown).to_have_attribute("src", first or "")
    page.keyboard.press("r")
    expect(shown).not_to_have_attribute("src", first or "")
    page.keyboard.press("r")
    expect(shown).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator(".stage .beside")).to_have_count(0)


def test_a_held_key_shows_the_reference_only_while_it_is_held(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.down("r")
    expect(page.locator(SHOWN)).to_have_count(1)
    page.wait_for_timeout(400)
    page.keyboard.up("r")
    expect(page.locator(SHOWN)).to_have_count(0)


def test_the_loupe_follows_the_mouse_and_the_arrow_keys(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("l")
    glass = page.locator(".loupe")
    expect(glass).to_be_visible()
    centre = glass.bounding_box()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    moved = glass.bounding_box()
    assert centre is not None
    assert moved is not None
    assert moved["x"] > centre["x"] + 5
    assert moved["y"] > centre["y"] + 5
    assert glass.evaluate("e => parseFloat(e.style.backgroundSize)") == pytest.approx(3200, rel=0.1)
    page.mouse.move(700, 300)
    expect(page.locator("[data-does=loupe]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    expect(page.locator(".candidate.current .loupe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(glass).to_have_count(0)
    saved(page)
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]


def test_holding_the_mouse_on_the_picture_is_the_loupe_and_decides_nothing(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.mouse.move(700, 300)
    page.mouse.down()
    expect(page.locator(".loupe")).to_be_visible()
    page.mouse.move(760, 330)
    page.mouse.up()
    expect(page.locator(".loupe")).to_have_count(0)
    assert verdicts(items) == ["pending"] * 4


def test_a_finger_that_looks_through_the_loupe_does_not_swipe(
    page: Page, items: list[ReviewItem]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sit_down(page, items)
    page.get_by_role("button", name="loupe").click()
    page.evaluate(SWIPE, 200)
    expect(page.locator(".loupe")).to_be_visible()
    page.get_by_role("button", name="loupe").click()
    page.evaluate(SWIPE, 200)
    saved(page)
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]


def test_the_next_picture_shows_the_same_place_at_full_size(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("z")
    stage = page.locator(".candidate.current .stage")
    expect(stage).to_have_js_property("scrollWidth", 1640)
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    page.mouse.move(700, 300)
    page.mouse.down()
    page.mouse.move(650, 280)
    page.mouse.up()
    place = "e => [e.scrollLeft, e.scrollTop].map(Math.round)"
    before = stage.evaluate(place)
    page.keyboard.press("a")
    page.wait_for_function(
        "seen => { const e = document.querySelector('.candidate.current .stage');"
        " return Math.abs(e.scrollLeft - seen[0]) < 3 && Math.abs(e.scrollTop - seen[1]) < 3; }",
        arg=before,
    )
    page.keyboard.press("]")
    assert page.locator(".frame.current").get_attribute("data-item") == str(items[2].pk)


def test_siblings_of_the_cell_stand_under_what_was_asked_with_what_was_said(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("x")
    siblings = page.locator(".candidate.current .sibling")
    expect(siblings).to_have_count(2)
    expect(siblings.first).to_have_attribute("data-verdict", "rejected")
    siblings.nth(1).click()
    expect(page.locator(f"#frame-{items[2].pk}")).to_have_class("frame current")
    page.keyboard.press("]")
    expect(page.locator(".candidate.current .siblings")).to_be_hidden()


def test_what_was_done_to_many_is_said_afterwards(page: Page, items: list[ReviewItem]) -> None:
    for item in items[:3]:
        facts = {"backend": "b", "backend_sha256": "", "num_faces": 1, "sharpness": 1.0}
        Measurement.objects.create(image=item.image, phash="ff00", **facts)
    sit_down(page, items)
    page.keyboard.press("Shift+P")
    expect(page.get_by_role("status").first).to_contain_text("Kept 1, rejected 2")


def test_a_sentence_about_one_picture_lies_over_nothing_else(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    said = page.locator(".said .notice")
    for way in ("[", "g", "click"):
        page.locator(f"#frame-{items[3].pk}").click()
        page.keyboard.press("n")
        expect(said).to_contain_text("Nothing on this desk looks like this one")
        if way == "click":
            page.locator(f"#frame-{items[0].pk}").click()
        else:
            page.keyboard.press(way)
        expect(said).to_have_count(0)
        page.keyboard.press("Escape")
