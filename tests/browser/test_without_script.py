"""What the review desk is where no script runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import ReviewItem
from tests.browser.desk import verdicts


@pytest.fixture
def still(browser: Browser, page: Page, live_server: LiveServer) -> Iterator[Page]:
    state = page.context.storage_state()
    context = browser.new_context(
        base_url=live_server.url, storage_state=state, java_script_enabled=False
    )
    yield context.new_page()
    context.close()


def test_the_grid_leads_to_one_at_a_time_where_forms_decide(
    still: Page, items: list[ReviewItem]
) -> None:
    batch = items[0].batch
    still.goto(reverse("review_batch", args=[batch.subject.slug, batch.pk]) + "?view=grid")
    still.get_by_role("link", name="One at a time").click()
    still.get_by_role("button", name="accept", exact=False).first.click()
    expect(still.locator(f"#item-{items[1].pk}.current")).to_be_visible()
    assert verdicts(items) == ["accepted", "pending", "pending", "pending"]
