"""The panel of edits: words for the editor, and what a picture should have been."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from curation.models import Decision, ReviewItem
from tests.browser.desk import give_source, lesson, saved, sit_down, verdicts


def test_letters_typed_into_an_instruction_decide_nothing(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("e")
    page.keyboard.type("exact ax")
    expect(page.get_by_label("Tell the editor what to change")).to_have_value("exact ax")
    assert verdicts(items) == ["pending"] * 4


def test_letters_in_a_choice_choose(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("e")
    count = page.locator("#instruct select")
    count.focus()
    for key in "3", "a", "x":
        page.keyboard.press(key)
    expect(count).to_have_value("3")
    count.blur()
    page.keyboard.press("x")
    saved(page)
    assert [decision.choice for decision in Decision.objects.all()] == ["reject"]


def test_what_was_typed_or_chosen_for_one_picture_is_not_kept_for_the_next(
    page: Page, items: list[ReviewItem]
) -> None:
    give_source(items)
    sit_down(page, items)
    page.keyboard.press("e")
    page.keyboard.type("Open the mouth.")
    page.get_by_label("Or upload what it should have been").set_input_files(lesson())
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("e")
    expect(page.get_by_label("Tell the editor what to change")).to_have_value("")
    assert page.locator("#picture").evaluate("input => input.files.length") == 0


def test_a_lesson_sent_slowly_rejects_the_picture_it_was_made_for(
    page: Page, items: list[ReviewItem]
) -> None:
    give_source(items)
    sit_down(page, items)
    held: list[Route] = []
    page.route("**/correct/", lambda route: held.append(route))
    page.keyboard.press("e")
    page.get_by_label("Or upload what it should have been").set_input_files(lesson())
    page.get_by_role("button", name="Keep as a lesson").click()
    expect(page.get_by_text("Sending")).to_be_visible()
    page.locator(f"#frame-{items[2].pk}").click()
    held[0].continue_()
    expect(page.get_by_text("Kept as a lesson for the editor.")).to_be_visible()
    expect(page.locator(f"#frame-{items[0].pk}")).to_have_attribute("data-verdict", "rejected")
    expect(page.locator(f"#frame-{items[2].pk}")).to_have_class("frame current")
    assert verdicts(items) == ["rejected", "pending", "pending", "pending"]
