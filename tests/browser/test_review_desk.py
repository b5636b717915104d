"""The review desk under a person's fingers."""

from __future__ import annotations

import io
import re

import PIL.Image
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import FilePayload, Page, Route, expect

from curation.models import (
    Batch,
    Choice,
    Correction,
    Decision,
    Image,
    Measurement,
    Origin,
    ReviewItem,
    Subject,
    Verdict,
)
from curation.reviewing.deciding import decide
from curation.shots import Shot
from tests.curation.cast import keep_made

COLOURS = ("teal", "olive", "plum", "tan")


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    return [make(batch, colour, seed) for seed, colour in enumerate(COLOURS)]


def make(batch: Batch, colour: str, seed: int) -> ReviewItem:
    image = keep_made(
        batch.subject,
        PIL.Image.new("RGB", (96, 96), colour),
        origin=Origin.ENRICHED,
        shot=Shot("left profile", "sad"),
        parents=[],
        depth=1,
        provenance={"prompt": "Turn the head.", "seed": seed},
    )
    return ReviewItem.objects.create(batch=batch, image=image)


def sit_down(page: Page, items: list[ReviewItem]) -> None:
    batch = items[0].batch
    page.goto(reverse("review_batch", args=[batch.subject.slug, batch.pk]))
    expect(page.locator(".desk.live")).to_be_visible()


def open_grid(page: Page, items: list[ReviewItem]) -> None:
    batch = items[0].batch
    page.goto(reverse("review_batch", args=[batch.subject.slug, batch.pk]) + "?view=grid")
    expect(page.locator(".desk.live")).to_be_visible()


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("all decisions saved")


def verdicts(items: list[ReviewItem]) -> list[str]:
    return list(
        Image.objects.filter(review_item__in=items)
        .order_by("review_item")
        .values_list("verdict", flat=True)
    )


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


def test_skipped_pictures_come_back_at_the_end(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    for key in (" ", "a", "a", "a"):
        page.keyboard.press(key)
    expect(page.locator(f"#frame-{items[0].pk}")).to_have_class("frame current")
    page.keyboard.press("a")
    expect(page.get_by_text("Everything here is decided")).to_be_visible()
    saved(page)
    assert verdicts(items) == ["accepted"] * 4


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


def test_what_the_gate_calls_strangers_goes_at_once_and_one_undo_brings_it_back(
    page: Page, items: list[ReviewItem]
) -> None:
    ReviewItem.objects.filter(pk__in=[item.pk for item in items[:3]]).update(gate="red")
    sit_down(page, items)
    page.keyboard.press("s")
    page.get_by_role("dialog").get_by_role("checkbox").nth(1).uncheck()
    page.get_by_role("button", name="Reject 2").click()
    saved(page)
    assert verdicts(items) == ["rejected", "pending", "rejected", "pending"]
    page.keyboard.press("Backspace")
    saved(page)
    assert verdicts(items) == ["pending"] * 4


def test_what_was_not_sent_survives_a_reload(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.route("**/decide/", lambda route: route.abort())
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_contain_text("1 waiting to be sent")
    page.unroute("**/decide/")
    page.reload()
    saved(page)
    assert verdicts(items)[0] == Verdict.ACCEPTED


def test_pictures_made_meanwhile_join_the_film(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    late = make(items[0].batch, "navy", 99)
    expect(page.locator(f"#frame-{late.pk}")).to_be_visible()
    expect(page.locator("[data-tally=of]")).to_have_text("of 5")


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


def test_letters_typed_into_an_instruction_decide_nothing(
    page: Page, items: list[ReviewItem]
) -> None:
    sit_down(page, items)
    page.keyboard.press("e")
    page.keyboard.type("exact ax")
    expect(page.get_by_label("Tell the editor what to change")).to_have_value("exact ax")
    assert verdicts(items) == ["pending"] * 4


def test_a_phone_decides_by_thumb(page: Page, items: list[ReviewItem]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sit_down(page, items)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="accept").click()
    page.get_by_role("button", name="reject", exact=True).click()
    expect(page.locator("[data-tally=decided]")).to_have_text("2")
    saved(page)
    assert verdicts(items) == ["accepted", "rejected", "pending", "pending"]


SWIPE = """way => {
    const stage = document.querySelector(".candidate.current .stage");
    const at = x => [new Touch({identifier: 1, target: stage, clientX: x, clientY: 300})];
    const fire = (type, x) => stage.dispatchEvent(new TouchEvent(type, {
        bubbles: true, touches: type === "touchend" ? [] : at(x), changedTouches: at(x)}));
    fire("touchstart", 200);
    fire("touchmove", 200 + way / 2);
    fire("touchend", 200 + way);
}"""


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


def give_source(items: list[ReviewItem]) -> None:
    photo = keep_made(
        items[0].batch.subject,
        PIL.Image.new("RGB", (96, 96), "gold"),
        origin=Origin.PHOTO,
        shot=Shot(),
        parents=[],
        depth=0,
        provenance={},
    )
    nearest = [{"sha256": photo.sha256, "shot": "neutral, front"}]
    for item in items:
        item.image.parents.add(photo)
        ReviewItem.objects.filter(pk=item.pk).update(source=photo, nearest=nearest)


def lesson() -> FilePayload:
    data = io.BytesIO()
    PIL.Image.new("RGB", (300, 300), "navy").save(data, "PNG")
    return {"name": "better.png", "mimeType": "image/png", "buffer": data.getvalue()}


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


def test_the_best_of_one_is_nothing_to_choose(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("Shift+P")
    expect(page.get_by_text("nearly the same as this one")).to_be_visible()
    assert not Decision.objects.exists()


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


def test_a_grid_may_reject_all_but_the_marked_ones(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("g")
    page.keyboard.press("x")
    page.locator(".tile").nth(2).click()
    page.get_by_role("button", name="Reject 3, accept 1").click()
    saved(page)
    assert verdicts(items) == ["rejected", "rejected", "accepted", "rejected"]


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
