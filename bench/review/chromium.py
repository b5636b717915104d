"""The desk in a real Chromium, under a key that is pressed at fixed times."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from bench.review.pacing import every, on_time
from bench.review.serving import cookies_of
from curation.models import Batch
from curation.reviewing.claiming import PAGE

WATCHING = Path(__file__).with_name("watching.js").read_text()
SHOWN = """
    const shown = () => [...document.querySelectorAll(".tile img")].filter(
        (one) => one.complete && one.naturalWidth > 0
    );
"""
GRID_PAINTED = """
    const look = () => requestAnimationFrame(() => {
        if (shown().length === COUNT)
            requestAnimationFrame(() => (window.gridPainted = performance.now()));
        else look();
    });
    look();
"""
TURNED = """
    addEventListener("keydown", (event) => {
        const [pressed, before] = [performance.now(), shown().map((one) => one.src)];
        const look = () => requestAnimationFrame(() => {
            if (shown().filter((one) => !before.includes(one.src)).length === COUNT)
                requestAnimationFrame(() => (window.turned = performance.now() - pressed));
            else look();
        });
        if (event.key === "Enter") look();
    }, { capture: true });
"""
FRAME = 1 / 60
"""Seconds: a key may fall anywhere within a frame of the screen. 5 a second sharp would all fall in
the same place, and whether that is a good one would be chance."""
GLANCE_MS = 3_000
"""At a page of the grid: nobody judges two dozen pictures faster."""
PATIENCE_MS = 60_000
"""In which the desk must have opened, and sent all decisions when the last key was pressed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """By the page itself, key by key. `durations`: ms to the next paint, those of 16 and more.

    `pressed`: the item each key was about. `ready`: whether another picture was there, loaded,
    when the key's answer was painted. `seconds`: from the first key to the last.
    """

    durations: list[float]
    pressed: list[int | None]
    ready: list[bool]
    seconds: float


def accept(site: str, user: User, batch: Batch, *, rate: float, count: int) -> Seen:
    """Press A that many times, `rate` a second, and wait until every decision is saved.

    Nothing here may ask the database: playwright keeps an event loop in this thread.
    """
    cookies = cookies_of(site, user)
    with _browser() as browser, _page(browser, site, cookies) as page:
        _sit_down(page, desk_of(batch))
        times, lot = [], random.Random(0)
        for _due in on_time([due + lot.uniform(0, FRAME) for due in every(1 / rate, count)]):
            times.append(time.perf_counter())
            page.keyboard.press("a")
        expect(page.locator("[data-saved]")).to_have_text("all decisions saved")
        page.wait_for_timeout(500)  # The browser tells of the last keys when it has time.
        seen = page.evaluate("seenByBench")
    pressed = [item and int(item) for item in seen["pressed"]]
    return Seen(seen["durations"], pressed, seen["ready"], times[-1] - times[0])


def open_grid(site: str, cookies: dict[str, str], path: str, *, openings: int) -> list[float]:
    """Milliseconds from asking for the page to the frame in which every thumbnail is painted, in a
    browser that runs already but has nothing of it in its cache."""
    took = []
    with _browser() as browser:
        for _ in range(openings):
            with _page(browser, site, cookies) as page:
                page.add_init_script(SHOWN + GRID_PAINTED.replace("COUNT", str(PAGE)))
                page.goto(path)
                page.wait_for_function("window.gridPainted", timeout=PATIENCE_MS)
                took.append(float(page.evaluate("window.gridPainted")))
    return took


def turn_pages(site: str, cookies: dict[str, str], path: str, *, turns: int) -> list[float]:
    """Milliseconds from Enter, which settles a page of the grid, to the frame in which every
    thumbnail of the next is painted."""
    took = []
    with _browser() as browser, _page(browser, site, cookies) as page:
        page.add_init_script(SHOWN + TURNED.replace("COUNT", str(PAGE)))
        page.goto(path)
        expect(page.locator(".tile")).to_have_count(PAGE, timeout=PATIENCE_MS)
        for _ in range(turns):
            page.wait_for_timeout(GLANCE_MS)
            page.evaluate("window.turned = null")
            page.keyboard.press("Enter")
            page.wait_for_function("window.turned", timeout=PATIENCE_MS)
            took.append(float(page.evaluate("window.turned")))
    return took


def desk_of(batch: Batch) -> str:
    return reverse("review_batch", args=[batch.subject.slug, batch.pk])


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=arguments
        )
        yield browser
        browser.close()


@contextmanager
def _page(browser: Browser, site: str, cookies: dict[str, str]) -> Iterator[Page]:
    """With a cache of its own, logged in; an error on it is one here."""
    errors: list[str] = []
    unanswered: list[str] = []
    context = browser.new_context(base_url=site, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": n, "value": v, "url": site} for n, v in cookies.items()])
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda lost: unanswered.append(f"{lost.url}: {lost.failure}"))
    try:
        yield page
    except (PlaywrightError, AssertionError) as error:
        error.add_note(f"{page.url}; errors: {errors}; unanswered: {unanswered}")
        raise
    context.close()
    if errors:
        raise RuntimeError(f"The page failed: {errors}")


def _sit_down(page: Page, path: str) -> None:
    """At the desk, watched, with the first pictures loaded."""
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(path)
    expect(page.locator(".desk.live")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCHING)
