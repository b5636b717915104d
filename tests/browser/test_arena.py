"""The blind arena under a person's fingers: keys, taking back, a server that is away, no script."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from curation.models import Subject
from tests.browser.test_everybody_can_read import violations
from tests.training.pages import make_column, make_lora
from training.models import Preference, Vote


@pytest.fixture
def two_versions(page: Page, subject: Subject) -> None:
    for number in (1, 2):
        make_column(subject, make_lora(subject, number), right=number == 2)


def standing() -> list[str]:
    return list(Vote.objects.standing().values_list("preference", flat=True))


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("All votes saved.")


def test_a_key_votes_and_the_next_pair_is_there(page: Page, two_versions: None) -> None:
    page.goto("/s/juno/arena/")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-mine]")).to_have_text("1")
    page.keyboard.press("x")
    expect(page.get_by_text("You have seen every pair there is")).to_be_visible()
    saved(page)
    assert standing() == [Preference.LEFT, Preference.BOTH_BAD]
    assert Vote.objects.first().seconds is not None


def test_backspace_brings_the_pair_back_to_be_voted_on_anew(page: Page, two_versions: None) -> None:
    page.goto("/s/juno/arena/")
    shown = page.locator(".pair:visible").get_attribute("data-cells")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    expect(page.locator(".pair:visible")).to_have_attribute("data-cells", shown)
    page.keyboard.press("ArrowDown")
    saved(page)
    assert standing() == [Preference.TIE]
    assert Vote.objects.count() == 2


def test_votes_wait_while_the_server_is_away(page: Page, two_versions: None) -> None:
    page.goto("/s/juno/arena/")
    page.context.set_offline(True)
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-saved]")).to_contain_text("1 waiting to be sent")
    page.context.set_offline(False)
    saved(page)
    assert standing() == [Preference.RIGHT]


def test_without_script_a_click_on_the_better_picture_votes(
    page: Page, two_versions: None, browser: Browser
) -> None:
    page.goto("/")
    plain = browser.new_context(
        base_url=page.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    tab = plain.new_page()
    tab.goto(reverse("arena", args=["juno"]))
    tab.get_by_role("button", name="The left one is better").click()
    tab.get_by_role("button", name="The right one is better").click()
    expect(tab.get_by_text("You have seen every pair there is")).to_be_visible()
    tab.get_by_role("button", name="Take back the last vote").click()
    expect(tab.get_by_role("button", name="The left one is better")).to_be_visible()
    plain.close()
    assert standing() == [Preference.LEFT]


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_pages_of_arena_and_promotion_keep_the_rules_for_everybody(
    page: Page, two_versions: None, alice: User, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    broken = {}
    for address in ("arena/", "arena/ranking/", "rules/", ""):
        page.goto(f"/s/juno/{address}")
        broken[address] = violations(page)
    assert not any(broken.values()), broken
