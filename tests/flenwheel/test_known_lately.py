"""Who it is, where one tab asks many times a second."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curation.models import Decision, Membership, ReviewItem, Subject
from flenwheel.http import LATELY
from tests.curation.cast import make_item


@pytest.fixture
def item(client: Client, alice: User, subject: Subject) -> ReviewItem:
    cache.clear()
    client.force_login(alice)
    return make_item(subject)


def decide(client: Client, item: ReviewItem) -> Any:
    said = {"choice": "skip", "key": uuid.uuid4()}
    url = reverse("decide", args=[item.pk])
    return client.post(url, said, headers={"Accept": "application/json"})


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_session_and_user_are_read_once_a_second(
    client: Client, item: ReviewItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert decide(client, item).status_code == 200
        tables = ("django_session", "auth_user")
        told = [query["sql"] for query in captured.captured_queries]
        return sum(f'FROM "{table}"' in sql for sql in told for table in tables)

    assert [reads(), reads()] == [2, 0]
    later(monkeypatch, LATELY)
    assert reads() == 2


def test_who_was_logged_out_elsewhere_is_refused_a_second_later(
    client: Client, item: ReviewItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(client, item)
    Session.objects.all().delete()
    later(monkeypatch, LATELY)
    assert decide(client, item).status_code == 302
    assert Decision.objects.count() == 1


def test_who_logs_out_here_is_nobody_at_once(client: Client, item: ReviewItem) -> None:
    decide(client, item)
    client.post(reverse("logout"))
    assert decide(client, item).status_code == 302


def test_the_next_one_at_the_same_browser_is_not_taken_for_the_last(
    client: Client, item: ReviewItem, bob: User
) -> None:
    decide(client, item)
    client.force_login(bob)
    decide(client, item)
    assert Decision.objects.latest("pk").author == bob


def test_who_lost_their_seat_is_refused_at_once(client: Client, item: ReviewItem) -> None:
    assert decide(client, item).status_code == 200
    Membership.objects.all().delete()
    assert decide(client, item).status_code == 404


def test_nobody_stays_nobody(client: Client, item: ReviewItem) -> None:
    decide(client, item)
    stranger = Client()
    for key in ("", str(client.session.session_key)[::-1]):
        stranger.cookies["sessionid"] = key
        assert decide(stranger, item).status_code == 302
        assert decide(stranger, item).status_code == 302
