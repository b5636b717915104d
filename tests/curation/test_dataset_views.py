from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Snapshot, Subject, Verdict
from tests.curation.cast import make_image, make_item, make_photos


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def test_datasets_are_counted_apart(page: Client, subject: Subject) -> None:
    make_photos(subject, 6)
    make_item(subject, 1, verdict=Verdict.ACCEPTED)
    make_item(subject, 2)
    sections = page.get(reverse("datasets", args=["juno"])).context["sections"]
    counts = {s["title"]: (s["counts"] or {}).get("accepted", 0) for s in sections}
    assert counts == {"Pristine": 6, "Enriched": 1, "Synthetic": 0, "Of the class": 0}


def test_freezing_leads_to_the_snapshot_with_its_captions(page: Client, subject: Subject) -> None:
    make_photos(subject, 6)
    answer = page.post(
        reverse("freeze", args=["juno"]), {"origins": ["photo", "enriched"], "note": "turn 1"}
    )
    snapshot = Snapshot.objects.get()
    assert answer.url == reverse("snapshot_detail", args=["juno", snapshot.pk])
    words = page.get(answer.url).content.decode()
    assert snapshot.sha256 in words
    assert "photo of ohwx_juno person, portrait, front view, neutral expression" in words


def test_too_few_photos_are_said_and_nothing_is_frozen(page: Client, subject: Subject) -> None:
    make_photos(subject, 2)
    answer = page.post(reverse("freeze", args=["juno"]), {"origins": ["photo"]}, follow=True)
    assert "at least 5 are needed" in answer.content.decode()
    assert not Snapshot.objects.exists()


def test_freezing_nothing_is_refused(page: Client) -> None:
    answer = page.post(reverse("freeze", args=["juno"]), {})
    assert answer.status_code == 422
    assert "Tick at least one" in answer.content.decode()


def test_an_outsider_sees_neither_datasets_nor_snapshots(
    page: Client, charlie: User, subject: Subject
) -> None:
    make_photos(subject, 6)
    page.post(reverse("freeze", args=["juno"]), {"origins": ["photo"]})
    page.force_login(charlie)
    snapshot = Snapshot.objects.get()
    for url in (
        reverse("datasets", args=["juno"]),
        reverse("dataset", args=["juno", "photo"]),
        reverse("snapshot_detail", args=["juno", snapshot.pk]),
    ):
        assert page.get(url).status_code == 404


def test_a_large_dataset_is_shown_a_page_at_a_time(page: Client, subject: Subject) -> None:
    for number in range(100):
        make_image(subject, number)
    url = reverse("dataset", args=["juno", "photo"])
    first = page.get(url)
    assert len(first.context["images"]) == 96
    rest = page.get(url, {"before": first.context["next_before"]})
    assert len(rest.context["images"]) == 4
    assert rest.context["next_before"] is None


def test_corrections_are_no_dataset_to_page_through(page: Client) -> None:
    assert page.get(reverse("dataset", args=["juno", "retouched"])).status_code == 404


def test_freezing_the_same_again_says_that_it_was_frozen_before(
    page: Client, subject: Subject
) -> None:
    make_photos(subject, 6)
    order = {"origins": ["photo"]}
    first = page.post(reverse("freeze", args=["juno"]), order, follow=True)
    again = page.post(reverse("freeze", args=["juno"]), order, follow=True)
    assert "was frozen before" not in first.content.decode()
    assert "was frozen before" in again.content.decode()


def test_a_refused_freeze_keeps_the_note_and_the_ticks(page: Client, subject: Subject) -> None:
    make_photos(subject, 2)
    wish = {"origins": ["photo"], "note": "turn <1>"}
    answer = page.post(reverse("freeze", args=["juno"]), wish)
    ticked = [s["origin"] for s in answer.context["sections"] if s["is_ticked"]]
    assert answer.status_code == 422
    assert ticked == ["photo"]
    assert 'value="turn &lt;1&gt;"' in answer.content.decode()


def test_freezing_without_photos_says_which_box_to_tick(page: Client, subject: Subject) -> None:
    make_photos(subject, 6)
    answer = page.post(reverse("freeze", args=["juno"]), {"origins": ["enriched"]})
    words = answer.content.decode()
    assert answer.status_code == 422
    assert "Tick Pristine as well" in words
    assert "has 0 photos" not in words
