"""A real Chromium on a real server: what only a browser can show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from curation.models import Batch, ReviewItem, Subject
from tests.browser.desk import COLOURS, log_in, make

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    # Playwright keeps an event loop in this thread; Django would take the tests for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(
    transactional_db: None, browser: Browser, live_server: LiveServer, alice: User
) -> Iterator[Page]:
    """Alice, logged in, at a desk of 1440 x 900; an error on the page fails the test."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    log_in(context, alice, live_server.url)
    errors: list[str] = []
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert errors == []


@pytest.fixture
def items(page: Page, subject: Subject) -> list[ReviewItem]:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    return [make(batch, colour, seed) for seed, colour in enumerate(COLOURS)]
