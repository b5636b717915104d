"""Captions in a browser: written in place, found and replaced after a look, usable on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from curation.models import CaptionProposal, Image, Subject
from tests.browser.test_everybody_can_read import SIZES, violations
from tests.curation.cast import make_photos

PHONE = {"width": 390, "height": 844}


def test_a_caption_is_saved_in_place_and_its_findings_follow(page: Page, subject: Subject) -> None:
    photo = make_photos(subject, 3)[0]
    page.goto("/s/juno/captions/")
    row = page.locator(f"#caption-{photo.pk}")
    row.get_by_role("textbox").fill("photo of ohwx_juno person, freckles, at the sea")
    row.get_by_role("button", name="Save").click()
    expect(row.get_by_role("status")).to_have_text("Saved.")
    expect(row).to_contain_text("Names what stays the same: “freckles”.")
    assert Image.objects.get(pk=photo.pk).caption.endswith("freckles, at the sea")
    row.get_by_role("button", name="Remove the words").click()
    page.get_by_role("button", name="Change 1").click()
    expect(row.get_by_role("textbox")).to_have_value("photo of ohwx_juno person, at the sea")


def test_ticked_captions_change_after_a_look_on_a_phone(page: Page, subject: Subject) -> None:
    first, second, _ = make_photos(subject, 3)
    page.set_viewport_size(PHONE)
    page.goto("/s/juno/captions/")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for photo in (first, second):
        page.locator(f"#caption-{photo.pk} input[type=checkbox]").check()
    page.get_by_label("the ticked ones").check()
    page.get_by_label("What").select_option("end")
    page.get_by_label("Replace with", exact=True).fill("soft light")
    page.get_by_role("button", name="Look at the changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 captions would change")
    page.get_by_role("button", name="Change 2").click()
    expect(page.get_by_text("2 captions changed.")).to_be_visible()
    assert Image.objects.filter(caption__endswith=", soft light").count() == 2


@pytest.mark.parametrize("size", SIZES)
def test_captions_downloads_and_the_class_keep_the_rules_of_accessibility(
    page: Page, subject: Subject, size: str
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    first, second, _ = make_photos(subject, 3)
    leaky = "photo of ohwx_juno person, freckles, beside ohwx_max"
    Image.objects.filter(pk=first.pk).update(caption=leaky)
    CaptionProposal.objects.create(image=second, words="photo of ohwx_juno person, at the sea")
    subject.caption_edits.create(said="put “x” at the end")
    broken = {}
    for address in ("captions/", "datasets/", "datasets/class/"):
        page.goto(f"/s/juno/{address}")
        for menu in page.locator(".downloads summary").all():
            menu.click()
        broken[address] = violations(page)
    page.goto("/s/juno/captions/")
    page.locator("#mend-all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 caption would change")
    broken["preview"] = violations(page)
    assert {address: found for address, found in broken.items() if found} == {}
