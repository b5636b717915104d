"""Keys of one's own: each works, and every place that names a key names the right one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Choice, Decision, Reviewer, ReviewItem
from curation.reviewing.deciding import record
from tests.browser.desk import open_grid, saved, sit_down, verdicts
from tests.curation.cast import make_measurement


@pytest.fixture
def own_keys(alice: User) -> None:
    keys = {"survey": "q", "reject": "w", "reference": "o", "back": "j", "forth": "k", "help": "h"}
    Reviewer.objects.create(user=alice, keys=keys)


@pytest.mark.usefixtures("own_keys")
def test_labels_that_come_later_name_ones_own_keys(page: Page, items: list[ReviewItem]) -> None:
    ReviewItem.objects.filter(pk__in=[items[2].pk, items[3].pk]).update(answer_to=items[0])
    open_grid(page, items)  # All candidates come with the claim.
    page.keyboard.press("g")
    page.locator(f"#frame-{items[2].pk}").click()
    candidate = page.locator(f"#item-{items[2].pk}")
    expect(candidate.get_by_role("heading", name="Nearest photos")).to_have_text("Nearest photos O")
    expect(candidate.get_by_text("shows all of them").locator("kbd")).to_have_text("Q")
    page.keyboard.press("q")
    expect(page.get_by_role("button", name="Reject all 2")).to_have_text("Reject all 2 W")
    expect(page.get_by_role("button", name="Leave all")).to_have_text("Leave all Esc")


@pytest.mark.usefixtures("own_keys")
def test_moving_and_help_have_keys_of_ones_own_and_arrows_stay(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    for key, place in (("k", 1), ("]", 1), ("ArrowRight", 2), ("j", 1), ("[", 1), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        expect(page.locator(f"#frame-{items[place].pk}.current")).to_be_attached()
    page.keyboard.press("?")
    expect(page.locator("dialog.help")).to_be_hidden()
    page.keyboard.press("h")
    expect(page.locator("dialog.help")).to_be_visible()


@pytest.mark.usefixtures("own_keys")
def test_disputes_are_settled_by_ones_own_keys(
    page: Page, items: list[ReviewItem], alice: User, bob: User
) -> None:
    for author, choice in ((bob, Choice.REJECT), (alice, Choice.ACCEPT)):
        record(Decision(item=items[0], author=author, choice=choice), saw="pending")
    batch = items[0].batch
    page.goto(reverse("disputed", args=[batch.subject.slug, batch.pk]))
    expect(page.get_by_role("button", name="Reject")).to_have_text("W Reject")
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="1 disputed picture")).to_be_visible()
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Nothing is disputed")).to_be_visible()
    assert verdicts(items[:1]) == ["rejected"]


def test_a_button_keeps_one_and_rejects_its_near_duplicates(
    page: Page, items: list[ReviewItem]
) -> None:
    for item, phash in zip(items, ("ff00", "ff01", "00ff", "ff03"), strict=True):
        make_measurement(item.image, None, phash=phash)
    sit_down(page, items)
    candidate = page.locator(".candidate.current")
    candidate.get_by_role("button", name="Keep this, reject 2 nearly the same").click()
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "rejected"]
    expect(page.locator(".candidate.current .alike")).to_be_hidden()
