"""What a reviewer's own fingers and eyes meet where others have judged before."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Batch, Choice, Decision, ReviewItem, Subject
from curation.reviewing.deciding import decide, record
from curation.reviewing.gold import mark
from tests.browser.desk import COLOURS, come_to, make, saved, sit_down, verdicts


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    batch = Batch.objects.create(subject=subject, title="Enrich", judged_twice=1.0)
    return [make(batch, colour) for colour in COLOURS]


def dom(page: Page) -> str:
    """The page as it is, but for tokens against forgery."""
    return re.sub(r"\b\w{64}\b", "", page.locator("html").evaluate("one => one.outerHTML"))


def test_a_second_look_shows_no_trace_of_the_first_and_counts_as_any_other(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    sit_down(page, items)
    page.wait_for_load_state("networkidle")
    before = dom(page)
    for item in items:
        record(Decision(item=item, author=bob, choice=Choice.REJECT), saw="pending")
    page.reload()
    expect(page.locator(".desk.live")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert dom(page) == before
    expect(page.locator("[data-tally=decided]")).to_have_text("0")
    for _ in items:
        page.keyboard.press("a")
    saved(page)
    expect(page.locator("[data-tally=decided]")).to_have_text("4")
    expect(page.locator(".said")).to_have_text("")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    frames = page.locator(".frame[data-verdict=accepted]")
    expect(frames).to_have_count(4)
    assert verdicts(items) == ["rejected"] * 4
    assert ReviewItem.objects.filter(is_disputed=True).count() == 4


def test_a_second_look_is_undone_and_done_again(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    for item in items:
        record(Decision(item=item, author=bob, choice=Choice.REJECT), saw="pending")
    sit_down(page, items)
    for key in ("a", "Backspace", "x"):
        page.keyboard.press(key)
    saved(page)
    item = items[0]
    expect(page.locator(f"#frame-{item.pk}")).to_have_attribute("data-verdict", "rejected")
    item.refresh_from_db()
    assert (item.is_disputed, item.is_waiting) == (False, False)


def test_a_test_picture_comes_among_the_others_and_looks_like_them(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    earlier = Batch.objects.create(subject=items[0].batch.subject, title="earlier")
    known = make(earlier, "navy")
    decide(known, Choice.ACCEPT, by=bob)
    mark(ReviewItem.objects.get(pk=known.pk), by=bob)
    batch = items[0].batch
    for number in range(16):
        make(batch, f"#0{number:x}4444")
    come_to(page, batch)
    expect(page.locator(".frame")).to_have_count(21)
    frame = page.locator(f"#frame-{known.pk}")
    expect(frame).to_have_attribute("data-verdict", "pending")
    names = "one => one.getAttributeNames().join()"
    assert frame.evaluate(names) == page.locator(f"#frame-{items[2].pk}").evaluate(names)
    for _ in range(21):
        page.keyboard.press("x")
    saved(page)
    answer = Decision.objects.get(item=known, author__username="alice")
    assert (answer.choice, answer.is_opinion) == ("reject", True)
    expect(frame).to_have_attribute("data-verdict", "rejected")


def test_disputes_are_settled_by_keys_one_after_the_other(
    page: Page, items: list[ReviewItem], bob: User, alice: User
) -> None:
    for item in items[:2]:
        for author, choice in ((bob, Choice.REJECT), (alice, Choice.ACCEPT)):
            record(Decision(item=item, author=author, choice=choice), saw="pending")
    batch = items[0].batch
    page.goto(reverse("disputed", args=[batch.subject.slug, batch.pk]))
    expect(page.get_by_role("heading", name="2 disputed pictures")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="1 disputed picture")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="Nothing is disputed")).to_be_visible()
    assert verdicts(items[:2]) == ["accepted", "rejected"]
