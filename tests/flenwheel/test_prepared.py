"""A prepared query finds what the plain one would, whoever asks and whenever."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flenwheel.prepared import KEY, MOMENT, WORD, Prepared

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def joined_before(name: str, moment: dt.datetime) -> QuerySet[User]:
    return User.objects.filter(username=name, date_joined__lt=moment).order_by("pk")


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create_user(name) for name in ("alice", "bob")]


def test_it_answers_each_time_by_what_it_is_given(people: list[User]) -> None:
    found = Prepared(joined_before, WORD, MOMENT)
    now = timezone.now()
    assert [user.username for user in found("alice", now)] == ["alice"]
    assert [user.username for user in found("bob", now)] == ["bob"]
    assert found("alice", now - HOUR) == []
    assert found.first("nobody", now) is None


def test_hostile_words_are_values(people: list[User]) -> None:
    found = Prepared(joined_before, WORD, MOMENT)
    assert found("' OR 1=1 --", timezone.now()) == []
    assert found("stands in for 0", timezone.now()) == []


@pytest.mark.parametrize(
    "constant", ["alice", "50 % o'clock", "'); DROP TABLE auth_user; --", "%s"]
)
def test_what_never_changes_stands_in_the_sql(constant: str) -> None:
    user = User.objects.create_user(constant, date_joined=timezone.now() - HOUR)
    found = Prepared(lambda moment: joined_before(constant, moment), MOMENT)
    sent: list[tuple[object, ...]] = []

    def note(execute: Callable[..., object], sql: str, params: Any, *rest: object) -> object:
        sent.append(params)
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        assert found(timezone.now()) == [user]
        assert found(timezone.now() - 2 * HOUR) == []
    assert [len(params) for params in sent] == [1, 1]


def test_constants_of_all_kinds_stand_in_the_sql(people: list[User]) -> None:
    now = timezone.now()

    def build(key: int) -> QuerySet[User]:
        standing = User.objects.filter(is_active=True, is_staff=False, pk__gt=-1)
        return standing.filter(date_joined__lt=now + HOUR, date_joined__gt=now - HOUR, pk=key)

    found = Prepared(build, KEY)
    assert [found.first(user.pk) for user in people] == people


def test_it_is_written_once_and_sees_what_changed_since(people: list[User]) -> None:
    calls = []

    def build(key: int) -> QuerySet[User]:
        calls.append(key)
        return User.objects.filter(pk=key)

    found = Prepared(build, KEY)
    alice, bob = people
    assert found.first(alice.pk) == alice
    User.objects.filter(pk=bob.pk).update(first_name="Robert")
    with CaptureQueriesContext(connection) as queries:
        assert found.first(bob.pk).first_name == "Robert"
    assert len(queries) == 1
    assert len(calls) == 1


def test_one_value_may_stand_at_several_places(people: list[User]) -> None:
    found = Prepared(lambda key: User.objects.filter(pk__gte=key, pk__lte=key), KEY)
    assert [found.first(user.pk) for user in people] == people


def test_another_connection_of_the_thread_is_asked_anew(people: list[User]) -> None:
    found = Prepared(lambda key: User.objects.filter(pk=key), KEY)
    alice, _ = people
    assert found.first(alice.pk) == alice
    before = connections["default"]
    connections["default"] = before.copy()
    asked = connections["default"].execute_wrapper(lambda *_: pytest.fail("asked here"))
    try:
        with asked, pytest.raises(pytest.fail.Exception, match="asked here"):
            found.first(alice.pk)
    finally:
        connections["default"].close()
        connections["default"] = before
    assert found.first(alice.pk) == alice


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection(people: list[User]) -> None:
    found = Prepared(lambda key: User.objects.filter(pk=key), KEY)
    answers: list[User | None] = []

    def ask(user: User) -> None:
        answers.append(found.first(user.pk))
        connections.close_all()

    assert found.first(people[0].pk) == people[0]
    threads = [threading.Thread(target=ask, args=[user]) for user in people]
    for thread in threads:
        thread.start()
        thread.join()
    assert answers == people
