"""Rows are written as Django writes them, over Postgres several in one statement."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flenwheel.writes import RowInsert, RowUpdate, write

pytestmark = pytest.mark.django_db
HOSTILE = "'); DROP TABLE auth_user; --"


def test_a_row_update_writes_the_named_fields_of_one_row() -> None:
    for name in ("alice", "bob"):
        User.objects.create_user(name)
    alice, bob = User.objects.order_by("username")
    changed = RowUpdate(User, "last_login", "first_name", "is_active")
    now = timezone.now()
    with CaptureQueriesContext(connection) as queries:
        write(changed(alice.pk, first_name=HOSTILE, is_active=False, last_login=now))
    for user in (alice, bob):
        user.refresh_from_db()
    assert (alice.first_name, alice.is_active, alice.last_login) == (HOSTILE, False, now)
    assert (bob.first_name, bob.is_active, bob.last_login) == ("", True, None)
    assert len(queries) == 1


def test_a_row_is_written_as_saving_writes_it() -> None:
    facts = {"email": "' OR 1=1 --", "date_joined": timezone.now(), "last_login": None}
    saved, written = User(username="saved", **facts), User(username="written", **facts)
    saved.save()
    with CaptureQueriesContext(connection) as queries:
        write(RowInsert(User)(written))
    assert len(queries) == 1
    rows = [User.objects.filter(pk=row.pk).values().get() for row in (saved, written)]
    own = {"id": written.pk, "username": "written"}
    assert rows[1] == rows[0] | own
    written.first_name = "Known"
    written.save()
    assert User.objects.get(username="written").first_name == "Known"


def test_the_database_refuses_a_written_row_too() -> None:
    write(RowInsert(User)(User(username="alice")))
    with pytest.raises(IntegrityError), transaction.atomic():
        write(RowInsert(User)(User(username="alice")))


def test_rows_are_written_together_and_new_ones_get_their_own_keys() -> None:
    group = Group.objects.create(name="before")
    bob, carol = User(username="bob"), User(username=HOSTILE)
    renamed = RowUpdate(Group, "name")(group.pk, name="50 % o'clock")
    new = RowInsert(User)
    with CaptureQueriesContext(connection) as queries:
        write(new(bob), renamed, new(carol))
    assert len(queries) == (1 if connection.vendor == "postgresql" else 3)
    assert User.objects.get(username="bob").pk == bob.pk
    assert User.objects.get(username=HOSTILE).pk == carol.pk
    group.refresh_from_db()
    assert group.name == "50 % o'clock"


def test_of_rows_that_are_written_together_all_are_or_none() -> None:
    alice = User.objects.create_user("alice")
    changed = RowUpdate(User, "first_name")(alice.pk, first_name="Alice")
    again = RowInsert(User)(User(username="alice"))
    with pytest.raises(IntegrityError), transaction.atomic():
        write(changed, again)
    alice.refresh_from_db()
    assert alice.first_name == ""


def test_updates_alone_are_written_together_too() -> None:
    users = [User.objects.create_user(name) for name in ("alice", "bob")]
    changed = RowUpdate(User, "first_name")
    write(*(changed(user.pk, first_name=user.username.title()) for user in users))
    assert set(User.objects.values_list("first_name", flat=True)) == {"Alice", "Bob"}
