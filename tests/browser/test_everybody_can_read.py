"""The review desk by axe-core's rules of WCAG 2.2 AA: contrast, names, order, sizes of targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Batch, Origin, ReviewItem, Subject
from tests.browser.desk import come_to, give_source, make
from tests.curation.cast import keep_made

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIEWS = {
    "single": "",
    "reference": "r",
    "survey": "n",
    "grid": "g",
    "help": "?",
    "sweep": "s",
    "edit": "e",
}
"""View of the desk -> the key that opens it."""
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


TO_THE_TOP = """() => new Promise((there) => requestAnimationFrame(() => {
    scrollTo({ top: 0, behavior: "instant" });
    requestAnimationFrame(there);
}))"""
"""What was scrolled half under the bar at the top is no small target. A view that was just opened
scrolls in the next frame."""


def violations(page: Page) -> list[Any]:
    page.evaluate(TO_THE_TOP)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)
    return [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found["violations"]]


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    items = [make(batch, colour, seed) for seed, colour in enumerate(("teal", "plum", "tan"))]
    ReviewItem.objects.filter(pk=items[0].pk).update(gate="red", score=0.3, gate_reason="Another.")
    give_source(items)
    return items


@pytest.mark.parametrize("size", SIZES)
def test_every_view_of_the_desk_keeps_the_rules(
    page: Page, items: list[ReviewItem], size: str
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    broken = {}
    for view, key in VIEWS.items():
        page.goto(reverse("review_batch", args=["juno", items[0].batch_id]))
        expect(page.locator(".desk.live")).to_be_visible()
        if key:
            page.keyboard.press(key)
        broken[view] = violations(page)
    assert {view: found for view, found in broken.items() if found} == {}


def test_a_finger_finds_and_settles_what_keys_do(page: Page, items: list[ReviewItem]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(reverse("review_batch", args=["juno", items[0].batch_id]))
    page.get_by_role("button", name="survey").click()
    page.locator(".pane").nth(1).click()
    expect(page.locator(".pane").nth(1)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Keep it, reject the other 2").click()
    expect(page.get_by_role("status").first).to_contain_text("Kept 1, rejected 2")
    page.get_by_role("button", name="undo").click()
    page.get_by_role("button", name="survey").click()
    page.get_by_role("button", name="Leave all").click()
    page.get_by_role("button", name="grid").click()
    page.locator(".tile").first.click()
    page.get_by_role("button", name="Accept 2, reject 1").click()
    expect(page.get_by_text("Everything here is decided")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280, 1440, 3840])
def test_no_view_is_wider_than_its_screen(page: Page, items: list[ReviewItem], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    widths = {}
    for view, key in VIEWS.items():
        page.goto(reverse("review_batch", args=["juno", items[0].batch_id]))
        expect(page.locator(".desk.live")).to_be_visible()
        if key:
            page.keyboard.press(key)
        widths[view] = page.evaluate("document.documentElement.scrollWidth")
    assert {view: wide for view, wide in widths.items() if wide > width} == {}
    assert page.evaluate("e => e.scrollWidth <= e.clientWidth", page.query_selector(".keys"))


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (3840, 2160)])
@pytest.mark.parametrize("size", [(1600, 900), (900, 1600)], ids=["wide", "tall"])
def test_the_whole_picture_and_all_keys_are_on_the_screen(
    page: Page, subject: Subject, width: int, height: int, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    batch = Batch.objects.create(subject=subject, title="Enrich")
    picture = PIL.Image.new("RGB", size, "teal")
    image = keep_made(subject, picture, origin=Origin.ENRICHED, shot=None, depth=1, provenance={})
    ReviewItem.objects.create(batch=batch, image=image)
    come_to(page, batch)
    expect(page.locator(".candidate.current .picked")).to_be_in_viewport(ratio=1)
    keys = page.locator(".keys .key:visible").all()
    assert len(keys) == 13
    for key in keys:
        expect(key).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
