"""The desk in a real Chromium, under a key that is pressed at fixed times."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from bench.review.pacing import every, on_time
from bench.review.serving import cookies_of
from curation.models import Batch
from curation.reviewing.claiming import PAGE

WATCHING = Path(__file__).with_name("watching.js").read_text()
PAINTED = "painted after ms: "
THUMBNAILS = """
    const painted = new Map();
    let [named, since] = [0, 0];
    const watch = (one) => one.setAttribute("elementtiming", `thumbnail ${named++}`);
    new MutationObserver(() => {
        document.querySelectorAll(".tile img:not([elementtiming])").forEach(watch);
    }).observe(document, { childList: true, subtree: true });
    new PerformanceObserver((seen) => {
        const before = painted.size;
        for (const { identifier, renderTime } of seen.getEntries())
            if (!painted.has(identifier)) painted.set(identifier, renderTime);
        if (before < COUNT && painted.size >= COUNT)
            console.log("PAINTED" + (Math.max(...painted.values()) - since));
    }).observe({ type: "element", buffered: true });
    addEventListener("keydown", ({ key }) => {
        if (key === "Enter") painted.clear(), (since = performance.now());
    }, { capture: true });
""".replace("COUNT", str(PAGE)).replace("PAINTED", PAINTED)
"""Tells when the last thumbnail of a page was painted, by the browser's own Element Timing: from
the request for the page, or from Enter. Nothing is asked of the page meanwhile: it would cost it
time."""
FRAME = 1 / 60
"""Seconds: a key may fall anywhere within a frame of the screen. 5 a second sharp would all fall in
the same place, and whether that is a good one would be chance."""
GLANCE_MS = 3_000
"""At a page of the grid: nobody judges two dozen pictures faster."""
WINDOW_MS = 2_000
"""In which a new window of Chromium has loaded what is its own, such as its address bar's page."""
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


def open_grid(
    site: str, cookies: dict[str, str], path: str, *, openings: int, again: bool = False
) -> list[float]:
    """Milliseconds from asking for the page until every thumbnail is painted, in a browser that
    runs already but has nothing of it in its cache; with `again`, the second time in each."""
    took = []
    with _browser() as browser:
        for _ in range(openings):
            with _page(browser, site, cookies) as page:
                page.add_init_script(THUMBNAILS)
                page.wait_for_timeout(WINDOW_MS)
                if again:
                    page.goto(path)
                    page.wait_for_load_state("networkidle")
                took.append(_until_painted(page, lambda: page.goto(path, wait_until="commit")))
    return took


def turn_pages(site: str, cookies: dict[str, str], path: str, *, turns: int) -> list[float]:
    """Milliseconds from Enter, which settles a page of the grid, until every thumbnail of the next
    is painted."""
    took = []
    with _browser() as browser, _page(browser, site, cookies) as page:
        page.add_init_script(THUMBNAILS)
        page.goto(path)
        expect(page.locator(".tile")).to_have_count(PAGE, timeout=PATIENCE_MS)
        for _ in range(turns):
            page.wait_for_timeout(GLANCE_MS)
            took.append(_until_painted(page, lambda: page.keyboard.press("Enter")))
    return took


def _until_painted(page: Page, does: Callable[[], object]) -> float:
    """Milliseconds, as its script says when that is done."""

    def is_it(message: ConsoleMessage) -> bool:
        return message.text.startswith(PAINTED)

    with page.expect_console_message(is_it, timeout=PATIENCE_MS) as told:
        does()
    return float(told.value.text.removeprefix(PAINTED))


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
