from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Subject

PHOTOS = "/s/juno/photos/?before=3"
BACK_TO_PHOTOS = "/login/?next=%2Fs%2Fjuno%2Fphotos%2F%3Fbefore%3D3"


def poll(client: Client, page: str) -> Any:
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    return client.get(reverse("run_progress", args=[1]), headers=headers)


def send(client: Client, page: str | None) -> Any:
    headers = {"Referer": page} if page else {}
    return client.post(reverse("freeze", args=["juno"]), {"note": "turn 1"}, headers=headers)


def test_a_page_that_follows_something_goes_to_the_login_and_comes_back_whole(
    client: Client, db: None
) -> None:
    """Not into a corner of itself, and not to the fragment that was asked for."""
    answer = poll(client, f"http://testserver{PHOTOS}")
    assert answer.headers["HX-Redirect"] == BACK_TO_PHOTOS
    assert "Location" not in answer.headers
    assert answer.content == b""


def test_a_form_sent_too_late_comes_back_to_the_page_it_was_on(client: Client, db: None) -> None:
    assert send(client, f"http://testserver{PHOTOS}").url == BACK_TO_PHOTOS


def test_logging_in_again_leads_back(client: Client, alice: User, subject: Subject) -> None:
    alice.set_password("correct horse")
    alice.save()
    login = send(client, f"http://testserver{PHOTOS}").url
    form = client.get(login).context["next"]
    answer = client.post(
        reverse("login"), {"username": "alice", "password": "correct horse", "next": form}
    )
    assert answer.url == PHOTOS


@pytest.mark.parametrize("page", [None, "http://elsewhere.example/s/juno/", "http://[broken"])
def test_nobody_is_led_back_to_another_site(client: Client, db: None, page: str | None) -> None:
    assert send(client, page).url == "/login/"
    assert poll(client, page or "").headers["HX-Redirect"] == "/login/"


def test_a_page_that_was_asked_for_is_where_the_login_leads(client: Client, db: None) -> None:
    assert client.get(PHOTOS).url == "/login/?next=/s/juno/photos/%3Fbefore%3D3"


def test_a_logout_leads_to_the_login_and_nowhere_further(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post(reverse("logout"), headers={"Referer": "http://testserver/runs/"})
    assert answer.url == "/login/"


def test_a_form_older_than_the_login_is_refused_in_plain_words(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    answer = strict.post(reverse("new_subject"), {"name": "Juno"})
    words = answer.content.decode()
    assert answer.status_code == 403
    assert "reload" in words
    assert "verification failed" not in words
