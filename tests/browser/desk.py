"""What tests of the review desk share: its pictures, how to come to it, what it has kept."""

from __future__ import annotations

import io

import PIL.Image
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from curation.models import Batch, Image, Origin, ReviewItem
from curation.shots import Shot
from tests.curation.cast import keep_made

COLOURS = ("teal", "olive", "plum", "tan")

SWIPE = """way => {
    const stage = document.querySelector(".candidate.current .stage");
    const at = x => [new Touch({identifier: 1, target: stage, clientX: x, clientY: 300})];
    const fire = (type, x) => stage.dispatchEvent(new TouchEvent(type, {
        bubbles: true, touches: type === "touchend" ? [] : at(x), changedTouches: at(x)}));
    fire("touchstart", 200);
    fire("touchmove", 200 + way / 2);
    fire("touchend", 200 + way);
}"""


def make(batch: Batch, colour: str, seed: int = 0) -> ReviewItem:
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


def log_in(context: BrowserContext, user: User, site: str) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])


def come_to(page: Page, batch: Batch, *, site: str = "", asks: str = "") -> None:
    page.goto(site + reverse("review_batch", args=[batch.subject.slug, batch.pk]) + asks)
    expect(page.locator(".desk.live")).to_be_visible()


def sit_down(page: Page, items: list[ReviewItem]) -> None:
    come_to(page, items[0].batch)


def open_grid(page: Page, items: list[ReviewItem]) -> None:
    come_to(page, items[0].batch, asks="?view=grid")


def saved(page: Page) -> None:
    # A killed server takes its time to come back.
    expect(page.locator("[data-saved]")).to_have_text("all decisions saved", timeout=30_000)


def verdicts(items: list[ReviewItem]) -> list[str]:
    return list(
        Image.objects.filter(review_item__in=items)
        .order_by("review_item")
        .values_list("verdict", flat=True)
    )


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
