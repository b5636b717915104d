from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from flenwheel.login import TRIES

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def nobody_has_tried() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def dora(db: None) -> User:
    return User.objects.create_user("dora", password=PASSWORD)


def log_in(name: str, password: str, address: str = "10.0.0.1") -> Any:
    said = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post(reverse("login"), said)


def test_guessing_comes_to_a_pause_that_is_explained(dora: User) -> None:
    for _ in range(TRIES):
        assert "do not match" in log_in("dora", "guess").content.decode()
    answer = log_in("Dora", PASSWORD)
    assert "Wait a quarter of an hour" in answer.content.decode()
    assert "_auth_user_id" not in answer.client.session


def test_a_pause_is_for_one_name_from_one_place(dora: User) -> None:
    for _ in range(TRIES):
        log_in("dora", "guess")
    User.objects.create_user("eve", password=PASSWORD)
    assert log_in("eve", PASSWORD).status_code == 302
    assert log_in("dora", PASSWORD, address="10.0.0.2").status_code == 302


def test_a_right_password_forgets_the_wrong_ones(dora: User) -> None:
    for _ in range(2):
        for _ in range(TRIES - 1):
            log_in("dora", "guess")
        assert log_in("dora", PASSWORD).status_code == 302


def test_who_tries_many_names_is_not_forgotten(dora: User) -> None:
    for _ in range(TRIES):
        log_in("dora", "guess")
    for number in range(400):
        cache.set(f"login:{number}", 1)
    assert "Wait a quarter of an hour" in log_in("dora", PASSWORD).content.decode()


def test_tries_that_are_forgotten_meanwhile_count_anew(
    dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flenwheel.login.PAUSE", 0)
    for _ in range(TRIES + 1):
        assert "do not match" in log_in("dora", "guess").content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_admin_has_no_login_of_its_own(dora: User, client: Client, method: str) -> None:
    said = {"username": "dora", "password": PASSWORD}
    User.objects.filter(pk=dora.pk).update(is_staff=True)
    answer = getattr(client, method)("/admin/login/?next=/admin/", said)
    assert answer.url.startswith(reverse("login"))
    assert "_auth_user_id" not in client.session
    assert client.post(reverse("login"), said | {"next": "/admin/"}).url == "/admin/"
    assert client.get("/admin/").status_code == 200
    answer = client.get("/admin/login/", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/"


def test_whoever_is_no_operator_is_told_so_by_the_admin(dora: User, client: Client) -> None:
    client.force_login(dora)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Only operators" in answer.content.decode()


@pytest.mark.parametrize("name", ["", "x" * 5000, "\x00", "<b>"])
def test_any_name_may_be_tried(db: None, name: str) -> None:
    assert log_in(name, "guess").status_code == 200
