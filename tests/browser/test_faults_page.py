"""Faults handled in place."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from curation.models import Image, Measurement, Subject
from tests.curation.cast import make_measurement, make_photos


def test_a_fault_is_settled_in_place_and_taken_back(page: Page, subject: Subject) -> None:
    photos = make_photos(subject)
    for photo in photos:
        make_measurement(photo)
    Measurement.objects.filter(image=photos[2]).update(num_faces=2)
    page.goto(reverse("faults", args=[subject.slug]))
    page.get_by_role("button", name="Keep anyway").click()
    expect(page.get_by_text("Kept as it is.")).to_be_visible()
    assert Image.objects.get(kept_anyway=True) == photos[2]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Looked at again.")).to_be_visible()
    assert not Image.objects.filter(kept_anyway=True).exists()


def test_copies_go_by_one_click_and_come_back_by_another(page: Page, subject: Subject) -> None:
    photos = make_photos(subject)
    for photo in photos:
        make_measurement(photo)
    Measurement.objects.filter(image__in=photos[:3]).update(phash="0" * 16)
    page.goto(reverse("faults", args=[subject.slug]))
    page.get_by_role("button", name="Keep the first, trash 2").click()
    expect(page.get_by_text("Moved to the trash.")).to_be_visible()
    assert Image.objects.in_use().count() == 4
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Put back.")).to_be_visible()
    assert Image.objects.in_use().count() == 6
