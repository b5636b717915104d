"""The gate's page by the rules of WCAG 2.2 AA, as wide as its screen, and its one switch."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from curation.models import Subject
from tests.browser.test_everybody_can_read import SIZES, violations
from tests.curation.cast import make_image
from tests.curation.faces import measured, somebody, with_photos
from tests.curation.test_gate_page import decide_some, draw
from tests.curation.test_gatekeeping import WHO

PAGE = "/s/juno/gate/"


@pytest.fixture
def lines(subject: Subject, bob: User) -> None:
    """Photos, one of somebody else, and enough decisions for a curve."""
    with_photos(subject, WHO)
    measured(make_image(subject, 9000), somebody(500))
    decide_some(subject, bob, count=24)
    draw(subject)


@pytest.mark.parametrize("size", SIZES)
def test_the_page_keeps_the_rules_and_fits_its_screen(page: Page, lines: None, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(PAGE)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_automation_is_switched_on_and_off_by_buttons_that_say_so(page: Page, lines: None) -> None:
    page.goto(PAGE)
    off, some = page.get_by_role("button", name="nothing"), page.get_by_role("button", name="5 %")
    expect(off).to_have_attribute("aria-pressed", "true")
    some.click()
    expect(some).to_have_attribute("aria-pressed", "true")
    off.click()
    expect(off).to_have_attribute("aria-pressed", "true")
