"""Pictures that are alike, side by side or by one key, and the sweep of strangers."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from curation.models import Correction, Decision, Measurement, ReviewItem
from tests.browser.desk import give_source, saved, sit_down, verdicts


def test_a_survey_keeps_the_chosen_one_and_rejects_the_rest(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("n")
    expect(page.locator(".pane")).to_have_count(4)
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    saved(page)
    assert verdicts(items) == ["rejected", "accepted", "rejected", "rejected"]
    assert Decision.objects.filter(choice="reject", reasons=["no_effect"]).count() == 3
    assert not Decision.objects.filter(seconds=None).exists()


def test_answers_to_one_order_are_compared_and_the_chosen_one_is_a_lesson(
    page: Page, items: list[ReviewItem]
) -> None:
    give_source(items)
    ReviewItem.objects.filter(pk__in=[items[1].pk, items[2].pk]).update(answer_to=items[0])
    sit_down(page, items)
    page.keyboard.press("]")
    page.keyboard.press("n")
    expect(page.locator(".pane")).to_have_count(2)
    page.keyboard.press("]")
    page.keyboard.press("Enter")
    saved(page)
    assert verdicts(items) == ["rejected", "rejected", "accepted", "pending"]
    lesson = Correction.objects.get()
    assert (lesson.target, lesson.rejected) == (items[2].image, items[0].image)


def test_one_key_keeps_a_picture_and_rejects_its_near_duplicates(
    page: Page, items: list[ReviewItem]
) -> None:
    for item, phash in zip(items, ("ff00", "ff01", "00ff", "ff03"), strict=True):
        Measurement.objects.create(
            image=item.image,
            backend="eyes",
            backend_sha256="",
            num_faces=0,
            phash=phash,
            sharpness=1,
        )
    sit_down(page, items)
    page.keyboard.press("Shift+P")
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "rejected"]


def test_the_best_of_one_is_nothing_to_choose(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("Shift+P")
    expect(page.get_by_text("nearly the same as this one")).to_be_visible()
    assert not Decision.objects.exists()


def test_what_the_gate_calls_strangers_goes_at_once_and_one_undo_brings_it_back(
    page: Page, items: list[ReviewItem]
) -> None:
    ReviewItem.objects.filter(pk__in=[item.pk for item in items[:3]]).update(gate="red")
    sit_down(page, items)
    page.keyboard.press("s")
    page.get_by_role("dialog").get_by_role("checkbox").nth(1).uncheck()
    page.get_by_role("button", name="Reject 2").click()
    # A dialog tells of its end a moment later; until then all is saved as it was.
    expect(page.get_by_text("Rejected 2; one undo takes it back.")).to_be_visible()
    saved(page)
    assert verdicts(items) == ["rejected", "pending", "rejected", "pending"]
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(items) == ["pending"] * 4
