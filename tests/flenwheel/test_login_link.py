from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from flenwheel import login_link
from flenwheel.login_link import login_path


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_login_link_logs_in_whom_it_names(client: Client, alice: User) -> None:
    answer = client.get(login_path(alice))
    assert answer.url == "/"
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_login_link_works_once(client: Client, alice: User) -> None:
    link = login_path(alice)
    client.get(link)
    stranger = Client()
    answer = stranger.get(link, follow=True)
    assert not is_in(stranger)
    assert "make up" in answer.content.decode()


def test_using_one_login_link_spends_the_others(client: Client, alice: User) -> None:
    older, newer = login_path(alice), login_path(alice)
    client.get(newer)
    stranger = Client()
    stranger.get(older)
    assert not is_in(stranger)


def test_a_login_link_grows_old(client: Client, alice: User, monkeypatch) -> None:
    monkeypatch.setattr(login_link, "LIFETIME", dt.timedelta(seconds=-1))
    client.get(login_path(alice))
    assert not is_in(client)


def test_a_login_link_cannot_be_made_without_the_secret(
    client: Client, alice: User, settings: Settings
) -> None:
    with_another = settings.SECRET_KEY
    settings.SECRET_KEY = "somebody else's"
    forged = login_path(alice)
    settings.SECRET_KEY = with_another
    client.get(forged)
    assert not is_in(client)


def test_a_spent_link_still_leads_home_whoever_is_in(client: Client, alice: User) -> None:
    link = login_path(alice)
    client.get(link)
    assert client.get(link).url == "/"


def test_nobody_who_was_switched_off_comes_in_by_link(client: Client, alice: User) -> None:
    link = login_path(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False, last_login=timezone.now())
    client.get(link)
    assert not is_in(client)
