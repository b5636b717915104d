"""The grid: a page of pictures, all accepted or all rejected but for the marked ones."""

from __future__ import annotations

import re
import time

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from curation.models import Batch, Choice, Decision, ReviewItem
from curation.reviewing.deciding import decide
from curation.reviewing.gold import mark
from tests.browser.desk import make, open_grid, saved, sit_down, verdicts


def test_a_page_of_the_grid_is_settled_at_once_and_one_undo_takes_it_back(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("g")
    expect(page.locator(".tile")).to_have_count(4)
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Accept 3, reject 1")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "accepted", "accepted"]
    assert Decision.objects.get(choice="reject").reasons == ["identity"]
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(items) == ["pending"] * 4


def test_the_time_of_a_page_is_its_pictures_together(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    before = time.monotonic()
    page.keyboard.press("g")
    expect(page.locator(".tile")).to_have_count(4)
    page.wait_for_timeout(1_000)
    page.keyboard.press("Enter")
    took = time.monotonic() - before
    saved(page)
    (seconds,) = set(Decision.objects.values_list("seconds", flat=True))
    assert seconds is not None
    assert 1 <= 4 * seconds < took + 0.1  # Hundredths are kept.


def test_the_next_page_of_the_grid_is_there_before_this_one_is_settled(
    page: Page, items: list[ReviewItem]
) -> None:
    more = [make(items[0].batch, "navy", 10 + seed) for seed in range(26)]
    sit_down(page, items)
    page.keyboard.press("g")
    expect(page.locator(".tile")).to_have_count(24)
    expect(page.locator(".frame")).to_have_count(30)
    page.route("**/claim/", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(6)
    page.unroute("**/claim/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert verdicts(items + more) == ["accepted"] * 30


def test_a_test_picture_comes_behind_the_page_of_the_grid_that_is_open(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    known = make(Batch.objects.create(subject=items[0].batch.subject, title="earlier"), "red")
    decide(known, Choice.ACCEPT, by=bob)
    mark(ReviewItem.objects.get(pk=known.pk), by=bob)
    for seed in range(26):
        make(items[0].batch, "navy", 10 + seed)
    page.add_init_script("Math.random = () => 0")  # By lot, as near to the front as may be.
    open_grid(page, items)
    test = page.locator(f".tile[data-item='{known.pk}']")
    expect(page.locator(".frame")).to_have_count(31)
    expect(page.locator(".tile")).to_have_count(24)
    expect(test).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(7)
    expect(test).to_have_count(1)


def test_a_grid_asks_for_large_pictures_when_it_is_left(
    page: Page, items: list[ReviewItem]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_grid(page, items)
    expect(page.locator(".frame")).to_have_count(4)
    expect(page.locator(".tile[data-item]")).to_have_count(4)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/media/" in url]
    page.keyboard.press("g")
    large = "[...document.querySelectorAll('.picked')].filter((one) => one.naturalWidth > 0)"
    page.wait_for_function(f"{large}.length === 4")
    assert len({url for url in asked if url.endswith("/1024")}) == 4


def test_a_grid_shows_its_pictures_before_it_asks_for_the_desks_scripts(
    page: Page, items: list[ReviewItem]
) -> None:
    open_grid(page, items)
    expect(page.locator(".desk.live")).to_be_visible()
    started = page.evaluate(
        """() => performance.getEntriesByType("resource")
            .filter(({ name }) => /\\/(review|deck|outbox)[.].*js$/.test(name))
            .map(({ startTime }) => startTime)"""
    )
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert len(started) == 3
    assert min(started) > painted


def test_a_grid_whose_pictures_are_not_handed_out_yet_keeps_its_thumbnails_and_marks(
    page: Page, items: list[ReviewItem]
) -> None:
    page.route("**/claim/", lambda route: route.abort())
    open_grid(page, items)
    page.locator(".tile").nth(1).click()
    page.get_by_text("Not this person").click()
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(4)
    page.unroute("**/claim/")
    expect(page.get_by_role("button", name="Accept 3, reject 1")).to_be_visible(timeout=10_000)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "accepted", "accepted"]
    assert Decision.objects.get(choice="reject").reasons == ["identity"]


def test_a_reload_of_the_grid_is_the_grid(page: Page, items: list[ReviewItem]) -> None:
    open_grid(page, items)
    expect(page.get_by_role("button", name="Accept 4")).to_be_visible()
    page.wait_for_timeout(600)  # A desk would have named its picture in the address by now.
    page.reload()
    expect(page.locator(".desk.live.gridded")).to_be_visible()
    page.keyboard.press("g")
    expect(page.locator(".candidate.current .picked")).to_be_visible()
    expect(page).to_have_url(re.compile("[?]item="))


def test_enter_presses_the_button_that_has_the_focus(page: Page, items: list[ReviewItem]) -> None:
    open_grid(page, items)
    expect(page.get_by_role("button", name="Accept 4")).to_be_visible()
    page.get_by_role("button", name="reject the rest").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reject 4")).to_be_visible()
    assert not Decision.objects.exists()


def test_a_grid_may_reject_all_but_the_marked_ones(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("g")
    page.keyboard.press("x")
    page.locator(".tile").nth(2).click()
    page.get_by_role("button", name="Reject 3, accept 1").click()
    saved(page)
    assert verdicts(items) == ["rejected", "rejected", "accepted", "rejected"]
