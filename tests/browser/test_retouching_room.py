"""The retouching room under a mouse and under a finger."""

from __future__ import annotations

import io
from collections.abc import Iterator

import PIL.Image
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from PIL import ImageChops, ImageDraw, ImageStat
from playwright.sync_api import Browser, CDPSession, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from curation.corrections import masks
from curation.files.storage import open_picture
from curation.models import (
    Batch,
    Choice,
    Correction,
    Decision,
    Image,
    Origin,
    ReviewItem,
    Subject,
    Verdict,
)
from curation.reviewing.deciding import decide
from tests.browser.desk import log_in, sit_down
from tests.curation.cast import keep_made
from tests.training.cast import make_base
from training.models import Family, Run, RunKind

SIZE = (400, 300)


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    """Three edits of a teal source: olive, a black mark in the middle, a red one to the left."""
    batch = Batch.objects.create(subject=subject, title="Edits")
    source = keep(subject, PIL.Image.new("RGB", SIZE, "teal"))
    return [item_of(batch, source, number) for number in range(3)]


def item_of(batch: Batch, source: Image, number: int) -> ReviewItem:
    picture = PIL.Image.new("RGB", SIZE, "olive")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((190, 140, 210 + number, 160), fill="black")
    draw.rectangle((70, 60, 120, 90), fill="maroon")
    image = keep(batch.subject, picture, source)
    return ReviewItem.objects.create(batch=batch, image=image, source=source)


def keep(subject: Subject, picture: PIL.Image.Image, *parents: Image) -> Image:
    facts = {"origin": Origin.ENRICHED, "shot": None, "depth": 1, "provenance": {"prompt": "Turn."}}
    return keep_made(subject, picture, parents=parents, **facts)


def enter(page: Page, items: list[ReviewItem]) -> None:
    sit_down(page, items)
    page.keyboard.press("m")
    expect(page.locator(".room[data-ready]")).to_be_visible()


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is seen while it fits the easel."""
    box = page.locator(".easel").bounding_box()
    assert box is not None
    scale = min((box["width"] - 48) / SIZE[0], (box["height"] - 48) / SIZE[1])
    left = box["x"] + (box["width"] - SIZE[0] * scale) / 2
    top = box["y"] + (box["height"] - SIZE[1] * scale) / 2
    return left + x * scale, top + y * scale


def paint(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*on_screen(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_screen(page, *point), steps=5)
    page.mouse.up()


def kept(page: Page) -> Correction:
    page.locator(".room").get_by_role("button", name="Keep as a lesson").click()
    expect(page.locator(".room")).not_to_be_visible()
    return Correction.objects.get()


def test_a_painted_mark_is_healed_and_the_desk_goes_on(page: Page, items: list[ReviewItem]) -> None:
    enter(page, items)
    paint(page, (180, 150), (220, 150))
    page.get_by_label("is healed").check()
    lesson = kept(page)
    expect(page.locator(f"#frame-{items[0].pk}")).to_have_attribute("data-verdict", "rejected")
    expect(page.locator(f"#item-{items[1].pk}.current")).to_be_attached()
    box = masks.read(bytes(lesson.mask), SIZE).getbbox()
    assert box == pytest.approx((160, 130, 240, 170), abs=3)
    assert open_picture(lesson.target).getpixel((200, 150)) == (128, 128, 0)
    assert lesson.outside_change == 0


def test_what_somebody_accepted_meanwhile_is_not_overruled_unseen(
    page: Page, items: list[ReviewItem], bob: User
) -> None:
    enter(page, items)
    decide(items[0], Choice.ACCEPT, by=bob)
    page.get_by_label("Mirror it").check()
    kept(page)
    expect(page.locator(".said")).to_contain_text("theirs stands")
    expect(page.locator(f"#frame-{items[0].pk}")).to_have_attribute("data-verdict", "accepted")
    assert ReviewItem.objects.get(pk=items[0].pk).is_disputed


def test_what_will_be_kept_can_be_seen_first(page: Page, items: list[ReviewItem]) -> None:
    enter(page, items)
    paint(page, (200, 150))
    page.get_by_label("is taken from the source").check()
    page.get_by_role("button", name="Look first").click()
    expect(page.locator(".room-look")).to_be_visible()
    assert not Decision.objects.exists()
    page.locator(".room-look").click()
    expect(page.locator(".room-look")).not_to_be_visible()


def test_strokes_are_undone_erased_and_cleared_and_the_desks_keys_are_inert(
    page: Page, items: list[ReviewItem]
) -> None:
    enter(page, items)
    for key in ("x", "a", "Backspace"):
        page.keyboard.press(key)
    paint(page, (100, 150), (300, 150))
    paint(page, (100, 250), (300, 250))
    page.keyboard.press("Control+z")
    page.keyboard.press("e")
    paint(page, (250, 100), (250, 200))
    page.get_by_label("is healed").check()
    box = masks.read(bytes(kept(page).mask), SIZE)
    assert box.getpixel((150, 150)) == 255
    assert (box.getpixel((250, 150)), box.getpixel((150, 250))) == (0, 0)
    assert Decision.objects.count() == 1


def test_a_crop_a_turn_and_the_light_travel_as_figures(page: Page, items: list[ReviewItem]) -> None:
    enter(page, items)
    page.keyboard.press("c")
    paint(page, (0, 0), (100, 75))
    page.get_by_label("Straighten").fill("10")
    page.get_by_label("Exposure").fill("-1")
    page.get_by_label("Mirror it").check()
    lesson = kept(page)
    crop = lesson.recipe.pop("crop")
    assert crop == pytest.approx([0.25, 0.25, 0.75, 0.75], abs=0.01)
    assert lesson.recipe == {"turn": 10, "exposure": -1, "mirror": True, "fill": ""}
    assert lesson.mask is None
    assert (lesson.target.width, lesson.target.height) == pytest.approx((300, 225), abs=4)


def test_a_picture_as_it_was_is_refused_in_the_room(page: Page, items: list[ReviewItem]) -> None:
    enter(page, items)
    page.locator(".room").get_by_role("button", name="Keep as a lesson").click()
    expect(page.locator(".room .notice")).to_contain_text("Nothing was changed yet")
    page.keyboard.press("Escape")
    expect(page.locator(".room")).not_to_be_visible()
    assert not Decision.objects.exists()


def test_the_editor_is_asked_inside_the_paint(page: Page, items: list[ReviewItem]) -> None:
    make_base(Family.QWEN_EDIT, "qwen-edit")
    make_base(Family.GATE, "gate")
    enter(page, items)
    page.locator("#inside [name=instruction]").fill("open the eyes")
    page.locator("#inside").get_by_role("button").click()
    expect(page.locator(".room .notice")).to_contain_text("Paint what the editor shall change")
    paint(page, (200, 150))
    page.locator("#inside [name=count]").select_option("3")
    page.locator("#inside").get_by_role("button").click()
    expect(page.locator(".room")).not_to_be_visible()
    asked = list(Run.objects.get(kind=RunKind.EDIT).items.select_related("source"))
    assert len(asked) == 3
    assert asked[0].source == items[0].image
    assert masks.read(masks.from_text(asked[0].request["mask"]), SIZE).getpixel((200, 150)) == 255


def test_answers_that_are_all_bad_bring_back_the_panel_with_the_last_words(
    page: Page, items: list[ReviewItem]
) -> None:
    for item in items[1:]:
        item.image.provenance |= {"said": 'open the "eyes"'}
        item.image.save()
        ReviewItem.objects.filter(pk=item.pk).update(answer_to=items[0])
    enter(page, items)
    page.keyboard.press("Escape")
    expect(page.locator(".room")).not_to_be_visible()
    page.keyboard.press("]")
    page.keyboard.press("n")
    page.keyboard.press("x")
    expect(page.locator(f"#item-{items[0].pk}.current")).to_be_attached()
    expect(page.locator("#instruction")).to_have_value('open the "eyes"')
    expect(page.locator("#instruction")).to_be_focused()
    expect(page.locator("[data-saved]")).to_have_text("all decisions saved")
    verdicts = {item.pk: item.image.verdict for item in ReviewItem.objects.select_related("image")}
    assert verdicts[items[0].pk] == Verdict.PENDING
    assert [verdicts[item.pk] for item in items[1:]] == [Verdict.REJECTED] * 2


def test_paint_on_one_picture_is_never_kept_of_the_next(
    page: Page, items: list[ReviewItem]
) -> None:
    """The first picture loads late, when the room has long been closed and opened on another."""
    late = items[1].image.sha256
    page.goto(reverse("review_batch", args=[items[0].batch.subject.slug, items[0].batch.pk]))
    expect(page.locator(".desk.live")).to_be_visible()
    page.keyboard.press("m")
    expect(page.locator(".room[data-ready]")).to_be_visible()
    paint(page, (180, 150), (220, 150))
    held: list[Route] = []
    page.route(f"**/{late}/2048", lambda route: held.append(route))
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.keyboard.press("m")
    room = page.locator(".room")
    expect(room).to_be_visible()
    page.get_by_label("is healed").check()
    room.get_by_role("button", name="Keep as a lesson").click()
    room.get_by_role("button", name="Close").click()
    expect(room).not_to_be_visible()
    page.keyboard.press("]")
    page.keyboard.press("m")
    expect(page.locator(".room[data-ready]")).to_be_visible()
    paint(page, (90, 70), (110, 80))
    with page.expect_response(f"**/{late}/2048"):
        held.pop().continue_()
    page.get_by_label("is healed").check()
    lesson = kept(page)
    assert lesson.rejected == items[2].image
    assert masks.read(bytes(lesson.mask), SIZE).getpixel((100, 75)) == 255
    assert Decision.objects.count() == 1


@pytest.fixture
def phone(page: Page, browser: Browser, live_server: LiveServer, alice: User) -> Iterator[Page]:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True
    )
    log_in(context, alice, live_server.url)
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    yield tab
    context.close()


def touch(hand: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def test_a_finger_paints_and_two_fingers_zoom(phone: Page, items: list[ReviewItem]) -> None:
    sit_down(phone, items)
    phone.locator(".edit summary").click()
    phone.get_by_role("button", name="Retouch it here").click()
    expect(phone.locator(".room[data-ready]")).to_be_visible()
    assert phone.evaluate("document.querySelector('.room').scrollWidth") <= 390
    hand = phone.context.new_cdp_session(phone)
    x, y = on_screen(phone, 200, 150)
    touch(hand, "touchStart", (x - 5, y))
    touch(hand, "touchMove", (x + 5, y))
    touch(hand, "touchEnd")
    touch(hand, "touchStart", (x - 20, y), (x + 20, y))
    touch(hand, "touchMove", (x - 60, y), (x + 60, y))
    touch(hand, "touchEnd")
    phone.get_by_label("is healed").check()
    left, top, right, bottom = masks.read(bytes(kept(phone).mask), SIZE).getbbox() or (0, 0, 0, 0)
    assert bottom - top == pytest.approx(40, abs=2)
    scale = (390 - 48) / SIZE[0]
    assert right - left == pytest.approx(40 + 10 / scale, abs=3)


def test_what_is_seen_in_the_room_is_what_is_kept(page: Page, items: list[ReviewItem]) -> None:
    """The browser and the server mirror, turn and expose alike."""
    enter(page, items)
    page.get_by_label("Mirror it").check()
    page.get_by_label("Straighten").fill("20")
    page.get_by_label("Exposure").fill("0.7")
    (left, top), (right, bottom) = on_screen(page, 0, 0), on_screen(page, *SIZE)
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    seen = PIL.Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB").resize(SIZE)
    target = open_picture(kept(page).target)
    difference = ImageStat.Stat(ImageChops.difference(seen, target)).mean
    assert max(difference) < 3
