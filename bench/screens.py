"""`python -m bench.screens LINK`: the README's screenshots, from a running FLENwheel.

LINK is the login link that `make up` prints. The first subject's pages are photographed; a few
edits are asked for, so that there is something to review.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ASKED = ("smiling, left profile", "angry, three-quarter right", "sad, front", "sitting, front")
PAGES = {
    "wheel": "",
    "photos": "photos/",
    "gate": "gate/",
    "captions": "captions/",
    "review": "review/",
    "card": "card/",
    "editor": "/editor/",
    "runs": "/admin/training/run/",
}
"""Name -> address, below the subject's own where it does not begin with a slash."""


def shoot(page: Page, subject: str, name: str, suffix: str = "") -> None:
    address = PAGES[name]
    page.goto(address if address.startswith("/") else subject + address)
    page.wait_for_load_state("networkidle")
    keep(page, name + suffix)


def keep(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.save(FOLDER / f"{name}.webp", quality=90, method=6)


def look_closer(page: Page, subject: str) -> None:
    """The grid, and the retouching room with a stroke in it."""
    page.goto(subject + "review/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("g")
    page.locator(".gridded .tile").first.wait_for()
    keep(page, "grid")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.locator("[data-ready] canvas").first.wait_for()
    x, y = DESK["width"] * 0.4, DESK["height"] * 0.35
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 14, steps=6)
    page.mouse.up()
    keep(page, "retouching")


def enrich(page: Page, subject: str) -> None:
    """Ask for some edits as a person would, and wait until they are made."""
    page.goto(subject + "enrich/")
    page.get_by_role("button", name="None").click()
    for shot in ASKED:
        page.get_by_label(shot, exact=True).check()
    keep(page, "enrich")
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Done", exact=True).wait_for(timeout=120_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link")
    link = parser.parse_args().link
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(base_url=link.split("/login/")[0], viewport=DESK)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(link)
        page.goto("/")
        subject = page.locator("a[href^='/s/']").first.get_attribute("href") or "/"
        enrich(page, subject)
        for name in PAGES:
            shoot(page, subject, name)
        look_closer(page, subject)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for name in ("wheel", "review"):
            shoot(page, subject, name, "-phone")
        browser.close()


if __name__ == "__main__":
    main()
