"""One picture at a time: its keys, its buttons, a thumb, what lies under and over it."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Choice, Decision, ReviewItem, Subject
from tests.browser.desk import SWIPE, come_to, give_source, saved, sit_down, verdicts
from tests.curation.cast import make_items


def test_keys_accept_reject_with_reasons_and_undo(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    for key in ("a", "1", "4", "x", "a"):
        page.keyboard.press(key)
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "accepted", "pending"]
    assert Decision.objects.get(item=items[1]).reasons == ["identity", "prompt"]
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]
    expect(page.locator(f"#frame-{items[1].pk}")).to_have_class("frame current")


def test_photographers_keys_work_and_unset_takes_back_the_picture_that_is_shown(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    for key in ("p", "x", "Control+z", "x", "[", "[", "u"):
        page.keyboard.press(key)
    saved(page)
    assert verdicts(items) == ["pending", "rejected", "pending", "pending"]


def test_an_undo_reaches_back_before_a_reload(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("x")
    saved(page)
    page.reload()
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(items) == ["pending"] * 4


def test_more_than_fifty_decisions_are_undone_after_a_reload_the_newest_first(
    page: Page, subject: Subject
) -> None:
    batch = make_items(subject, 55)
    come_to(page, batch)
    for number in range(55):
        page.locator(".frame.current[data-verdict=pending]").wait_for()
        page.keyboard.press("ax"[number % 2])
    saved(page)
    said = list(Decision.objects.order_by("pk").values_list("item", flat=True))
    assert len(set(said)) == 55
    page.reload()
    expect(page.locator(".desk.live")).to_be_visible()
    for _ in said:
        page.keyboard.press("Backspace")
    saved(page)
    undone = Decision.objects.filter(choice=Choice.UNDO).order_by("pk")
    assert list(undone.values_list("undoes__item", flat=True)) == said[::-1]
    assert verdicts(list(batch.items.all())) == ["pending"] * 55


def test_what_was_decided_can_be_unset_by_a_button(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    unset = page.get_by_role("button", name="unset")
    expect(unset).to_be_hidden()
    page.keyboard.press("a")
    saved(page)
    page.keyboard.press("[")
    unset.click()
    saved(page)
    assert verdicts(items) == ["pending"] * 4


def test_skipped_pictures_come_back_at_the_end(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    for key in (" ", "a", "a", "a"):
        page.keyboard.press(key)
    expect(page.locator(f"#frame-{items[0].pk}")).to_have_class("frame current")
    page.keyboard.press("a")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert verdicts(items) == ["accepted"] * 4


def test_space_presses_the_focused_control_and_skips_nothing(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.get_by_label("Not this person").focus()
    page.keyboard.press(" ")
    expect(page.get_by_label("Not this person")).to_be_checked()
    page.get_by_role("button", name="accept").focus()
    page.keyboard.press(" ")
    saved(page)
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]
    assert set(Decision.objects.values_list("choice", flat=True)) == {"accept"}


def test_space_skips_after_a_button_was_clicked(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.get_by_role("button", name="accept").click()
    page.keyboard.press(" ")
    saved(page)
    assert list(Decision.objects.values_list("choice", flat=True)) == ["accept", "skip"]


def test_keys_decide_nothing_behind_an_open_dialog(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("?")
    for key in ("a", "x", " "):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("?")
    page.locator("dialog.help").click(position={"x": 5, "y": 5})
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert not Decision.objects.exists()


def test_a_key_of_ones_own_works_is_shown_and_survives_a_reload(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("?")
    page.locator("[data-bind-action=accept]").click()
    page.keyboard.press("q")
    expect(page.locator(".help [data-told]")).to_have_text("Kept.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Q accept")).to_be_visible()
    for key in ("a", "p", "q"):
        page.keyboard.press(key)
    saved(page)
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]
    page.reload()
    page.locator(".desk.live .frame.current[data-verdict=pending]").wait_for()
    page.keyboard.press("q")
    saved(page)
    assert verdicts(items) == ["accepted", "accepted", "pending", "pending"]


def test_a_phone_decides_by_thumb(page: Page, items: list[ReviewItem]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sit_down(page, items)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="accept").click()
    page.get_by_role("button", name="reject", exact=True).click()
    expect(page.locator("[data-tally=decided]")).to_have_text("2")
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "pending"]


def test_a_swipe_accepts_to_the_right_and_rejects_to_the_left(
    page: Page, items: list[ReviewItem]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sit_down(page, items)
    for way in (180, -180, 20):
        page.evaluate(SWIPE, way)
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "pending"]


def test_the_desk_works_without_a_script(page: Page, items: list[ReviewItem]) -> None:
    page.route("**/*.js", lambda route: route.abort())
    batch = items[0].batch
    page.goto(reverse("review_batch", args=[batch.subject.slug, batch.pk]))
    page.get_by_role("button", name="accept").click()
    page.get_by_label("Not this person").check()
    page.get_by_role("button", name="reject").click()
    expect(page.locator(f"#frame-{items[2].pk}")).to_have_class("frame current")
    assert verdicts(items) == ["accepted", "rejected", "pending", "pending"]


def test_the_next_picture_lies_painted_under_the_current_one_and_out_of_reach(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("a")
    current, beneath = page.locator(f"#item-{items[1].pk}"), page.locator(f"#item-{items[2].pk}")
    expect(beneath).to_have_class("candidate next")
    assert beneath.locator(".picked").evaluate("one => one.complete && one.naturalWidth") == 96
    assert beneath.locator(".stage").bounding_box() == current.locator(".stage").bounding_box()
    on_top = """one => {
        const { left, top, width, height } = one.querySelector(".stage").getBoundingClientRect();
        const there = document.elementFromPoint(left + width / 2, top + height / 2);
        return there.closest(".candidate").id;
    }"""
    assert beneath.evaluate(on_top) == f"item-{items[1].pk}"
    assert beneath.evaluate("one => one.inert")
    page.keyboard.press("a")
    expect(page.locator(".candidate.current")).to_have_id(f"item-{items[2].pk}")
    assert not beneath.evaluate("one => one.inert")


def test_the_reference_lies_beside_the_candidate_the_source_over_it_and_keys_are_explained(
    page: Page, items: list[ReviewItem]
) -> None:
    give_source(items)
    sit_down(page, items)
    page.keyboard.press("r")
    expect(page.locator(".stage .beside:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".stage .beside")).to_have_count(0)
    page.keyboard.press("f")
    expect(page.locator(".stage .over:visible")).to_have_count(1)
    page.keyboard.press("f")
    expect(page.locator(".stage .over")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_who_judges_blind_sees_the_gates_opinion_after_deciding(
    page: Page, items: list[ReviewItem]
) -> None:
    ReviewItem.objects.update(gate="green", score=0.9)
    sit_down(page, items)
    expect(page.locator(".likeness:visible")).to_have_count(1)
    page.keyboard.press("?")
    page.get_by_label("Judge blind").check()
    page.keyboard.press("Escape")
    expect(page.locator(".likeness:visible")).to_have_count(0)
    page.keyboard.press("s")
    expect(page.get_by_text("You judge blind: what")).to_be_visible()
    expect(page.get_by_role("button", name="strangers")).to_be_hidden()
    page.keyboard.press("a")
    page.keyboard.press("[")
    expect(page.locator(".likeness:visible")).to_have_count(1)
    saved(page)
    assert Decision.objects.get().is_blind
    page.reload()
    expect(page.locator(".desk.live")).to_be_visible()
    page.locator(".frame[data-verdict=pending]").first.click()
    expect(page.locator(".likeness:visible")).to_have_count(0)
