"""The desk by Tab alone: every control, as they are read, and always the eye knows which."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from curation.models import ReviewItem
from tests.browser.desk import give_source, saved, sit_down

VIEWS = {"single": "", "survey": "n", "grid": "g"}
"""View of the desk -> the key that opens it."""

WATCH = """() => {
    const ring = (one) => {
        const { outline, boxShadow } = getComputedStyle(seen(one));
        return `${outline} ${boxShadow}`;
    };
    // The box of a reason is hidden; its label stands for it.
    const seen = (one) => one.closest(".reason") ?? one;
    const box = (one) => seen(one).getBoundingClientRect();
    const isOpen = (one) => one.checkVisibility({ visibilityProperty: true })
        && !one.closest("[inert]");
    document.body.tabIndex = -1;
    document.body.focus(); // From the top, wherever the focus was.
    document.body.removeAttribute("tabindex");

    const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const all = [...document.querySelectorAll(controls)].filter(isOpen);
    const rings = new Map(all.map((one) => [one, ring(one)]));
    const visited = [];
    const found = { hidden: [], unmarked: [], missed: [], backwards: [] };
    const told = (one) => one.outerHTML.slice(0, 120);
    // Neither below what had the focus before nor to its right.
    const isBack = (one, before) =>
        box(one).top < box(before).bottom - 1 && box(one).left < box(before).left;
    const isSmall = (one) => Math.min(box(one).width, box(one).height) < 10;
    // Whether the focus came to another control.
    window.visit = () => {
        const one = document.activeElement;
        if (one === document.body || visited.includes(one)) return false;
        if (!isOpen(one) || isSmall(one)) found.hidden.push(told(one));
        if (ring(one) === rings.get(one)) found.unmarked.push(told(one));
        if (visited.length > 0 && isBack(one, visited.at(-1))) found.backwards.push(told(one));
        visited.push(one);
        return true;
    };
    window.toured = () => {
        found.missed = all.filter((one) => !visited.includes(one)).map(told);
        return { ...found, count: visited.length };
    };
}"""


def tour(page: Page, items: list[ReviewItem], view: str) -> dict[str, Any]:
    """What is wrong with the way of Tab through a view of the desk."""
    give_source(items)
    sit_down(page, items)
    page.keyboard.press("a")
    saved(page)
    if VIEWS[view]:
        page.keyboard.press(VIEWS[view])
    page.wait_for_timeout(500)  # A grid takes the focus once more when its page is whole.
    page.evaluate(WATCH)
    for _ in range(100):
        page.keyboard.press("Tab")
        if not page.evaluate("visit()"):
            break
    told: dict[str, Any] = page.evaluate("toured()")
    assert told["count"] > 20
    return told


@pytest.mark.parametrize("view", VIEWS)
def test_tab_goes_through_every_control_in_the_order_of_reading_and_to_none_that_is_hidden(
    page: Page, items: list[ReviewItem], view: str
) -> None:
    told = tour(page, items, view)
    assert told["hidden"] == []
    assert told["missed"] == []
    assert told["backwards"] == []


@pytest.mark.parametrize("view", VIEWS)
def test_whatever_has_the_focus_is_marked(page: Page, items: list[ReviewItem], view: str) -> None:
    assert tour(page, items, view)["unmarked"] == []
