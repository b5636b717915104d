"""A password changed in one tab while decisions are made in another."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Batch, Decision, Subject
from tests.browser.desk import COLOURS, make, saved, sit_down


def test_the_desk_goes_on_when_the_password_is_changed_in_another_tab(
    page: Page, subject: Subject
) -> None:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    sit_down(page, [make(batch, colour, seed) for seed, colour in enumerate(COLOURS)])
    page.keyboard.press("a")
    saved(page)
    account = page.context.new_page()
    account.goto(reverse("account"))
    account.get_by_label("The new one").fill("correct horse")
    account.get_by_label("The same again").fill("correct horse")
    account.get_by_role("button", name="Set a password").click()
    expect(account.get_by_text("Your password is changed")).to_be_visible()
    page.bring_to_front()
    page.keyboard.press("x")
    saved(page)
    assert list(Decision.objects.values_list("choice", flat=True)) == ["accept", "reject"]
