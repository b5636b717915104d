from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Reviewer, Subject
from tests.curation.cast import make_item

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def bind(desk: Client, action: str, key: str):
    return desk.post(reverse("bind_key"), {"action": action, "key": key})


def test_a_key_goes_to_one_action_and_back_to_its_usual_one(desk: Client, alice: User) -> None:
    bind(desk, "accept", "q")
    assert bind(desk, "reject", "q").json() == {"keys": {"reject": "q"}}
    bind(desk, "burst", "Shift+K")
    bind(desk, "reject", "")
    assert Reviewer.objects.get(user=alice).keys == {"burst": "Shift+K"}


@pytest.mark.parametrize("key", ["1", "Enter", "Q", " ", HOSTILE])
def test_what_is_no_free_key_is_refused_with_a_sentence(desk: Client, key: str) -> None:
    answer = bind(desk, "accept", key)
    assert answer.status_code == 422
    assert "letter or a sign" in answer.json()["errors"][0]
    assert not Reviewer.objects.exists()


def test_only_actions_have_keys(desk: Client) -> None:
    assert bind(desk, "__proto__", "q").status_code == 422


def test_a_hostile_key_in_the_row_is_data_on_the_page(
    desk: Client, subject: Subject, alice: User
) -> None:
    Reviewer.objects.create(user=alice, keys={"accept": HOSTILE})
    item = make_item(subject)
    words = desk.get(reverse("review_batch", args=["juno", item.batch_id])).content.decode()
    assert HOSTILE not in words
    assert "\\u003C/script" in words


def test_nobody_binds_keys_without_a_login(client: Client) -> None:
    assert bind(client, "accept", "q").status_code == 302
