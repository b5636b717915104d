"""Which pictures come to a desk, and how what is decided there reaches the server."""

from __future__ import annotations

from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from curation.models import Choice, Decision, Image, ReviewItem, Verdict
from curation.reviewing.deciding import decide
from tests.browser.desk import make, saved, sit_down, verdicts


def test_pictures_made_meanwhile_join_the_film(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    late = make(items[0].batch, "navy", 99)
    expect(page.locator(f"#frame-{late.pk}")).to_be_visible()
    expect(page.locator("[data-tally=of]")).to_have_text("of 5")


def test_more_are_asked_for_before_the_deck_runs_out(page: Page, items: list[ReviewItem]) -> None:
    for number in range(30):
        make(items[0].batch, "red", 10 + number)
    sit_down(page, items)
    for _ in range(34):
        page.locator(".frame.current[data-verdict=pending]").wait_for()
        page.keyboard.press("a")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert Decision.objects.count() == 34
    assert not Image.objects.filter(verdict=Verdict.PENDING).exists()


def test_five_pictures_ahead_and_two_behind_are_ready_and_no_others_are_asked_for(
    page: Page, items: list[ReviewItem]
) -> None:
    film = [*items, *(make(items[0].batch, "red", 10 + number) for number in range(16))]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sit_down(page, items)
    expect(page.locator(".frame")).to_have_count(20)
    loaded(page, film[:6])
    page.locator(f"#frame-{film[10].pk}").click()
    loaded(page, film[8:16])
    page.wait_for_load_state("networkidle")
    for place in (*range(8, 10), *range(11, 16)):
        assert picked(page, film[place]).evaluate("one => one.loading") == "eager", place
    far = [item for place, item in enumerate(film) if place not in {*range(6), *range(8, 16)}]
    assert [item for item in far if any(f"{item.image.sha256}/1024" in url for url in asked)] == []


def picked(page: Page, item: ReviewItem) -> Locator:
    return page.locator(f"#item-{item.pk} .picked")


def loaded(page: Page, near: list[ReviewItem]) -> None:
    """Each has come. Of a picture that was not asked for `complete` is false."""
    for item in near:
        expect(picked(page, item)).to_have_js_property("complete", True)
        expect(picked(page, item)).to_have_js_property("naturalWidth", 96)


def test_two_tabs_hold_different_pictures_and_a_closed_one_lets_go(
    page: Page, items: list[ReviewItem]
) -> None:
    more = [make(items[0].batch, colour, 10 + n) for n, colour in enumerate(["red"] * 20)]
    sit_down(page, items)
    expect(page.locator(".frame")).to_have_count(20)
    other = page.context.new_page()
    sit_down(other, items)
    expect(other.locator(".frame")).to_have_count(4)
    expect(other.locator(f"#frame-{more[-1].pk}")).to_be_visible()
    other.close()
    page.wait_for_timeout(300)
    assert ReviewItem.objects.exclude(lease=None).values("lease").distinct().count() == 1


def test_what_lies_on_another_desk_is_not_called_decided_and_comes_when_that_is_closed(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    expect(page.locator(".frame")).to_have_count(4)
    page.wait_for_timeout(300)
    other = page.context.new_page()
    other.goto(page.url.partition("?")[0])
    expect(other.get_by_text("The last 4 lie on another desk")).to_be_visible()
    expect(other.get_by_text("Everything here is decided")).to_be_hidden()
    page.close()
    expect(other.locator(".frame")).to_have_count(4, timeout=10_000)
    for _ in items:
        other.locator(".frame.current[data-verdict=pending]").wait_for()
        other.keyboard.press("a")
    expect(other.get_by_text("Everything here is decided")).to_be_visible()


def test_what_somebody_else_decided_meanwhile_stands_and_the_reviewer_is_told(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    sit_down(page, items)
    decide(items[0], Choice.REJECT, by=bob)
    page.keyboard.press("a")
    expect(page.get_by_text("theirs stands")).to_be_visible()
    saved(page)
    assert verdicts(items)[0] == Verdict.REJECTED
    assert Decision.objects.get(choice="accept").is_opinion
    page.keyboard.press("[")
    page.keyboard.press("a")
    saved(page)
    assert verdicts(items)[0] == Verdict.ACCEPTED


def test_decisions_made_without_a_network_are_sent_when_it_is_back(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect(page.locator("[data-saved]")).to_contain_text("2 waiting to be sent")
    assert verdicts(items) == ["pending"] * 4
    page.context.set_offline(False)
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "pending"]


def test_what_was_not_sent_survives_a_reload(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.route("**/decide/", lambda route: route.abort())
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_contain_text("1 waiting to be sent")
    page.unroute("**/decide/")
    page.reload()
    saved(page)
    assert verdicts(items)[0] == Verdict.ACCEPTED
