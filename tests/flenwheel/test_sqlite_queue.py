from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="Others queue by themselves"),
]


@pytest.fixture
def queue() -> Path:
    with transaction.atomic():
        pass  # The first who writes makes the file.
    return Path(f"{connection.settings_dict['NAME']}-queue")


def is_taken(queue: Path) -> bool:
    with queue.open("r+") as line:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_whoever_writes_holds_the_queue_until_it_is_done(queue: Path) -> None:
    assert not is_taken(queue)
    with transaction.atomic():
        assert is_taken(queue)
        with transaction.atomic():
            Group.objects.create(name="inner")
        assert is_taken(queue)
    assert not is_taken(queue)


def test_a_transaction_that_fails_lets_the_next_one_in(queue: Path) -> None:
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        raise ValueError("no")
    assert not is_taken(queue)


def test_whoever_cannot_begin_leaves_the_queue(queue: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold_without_queueing() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            held.set()
            done.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    rude = threading.Thread(target=hold_without_queueing)
    rude.start()
    held.wait(20)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass
    assert not is_taken(queue)
    done.set()
    rude.join()
    connection.close()


def test_a_connection_that_is_closed_midway_takes_its_place_along(queue: Path) -> None:
    def vanish() -> None:
        transaction.set_autocommit(False)
        connection.cursor().execute("BEGIN IMMEDIATE")
        connection.close()

    gone = threading.Thread(target=vanish)
    gone.start()
    gone.join()
    assert not is_taken(queue)
    Group.objects.create(name="after")


def test_those_who_write_at_once_all_get_their_turn(queue: Path) -> None:
    def write(number: int) -> None:
        for turn in range(20):
            with transaction.atomic():
                Group.objects.create(name=f"{number}-{turn}")
        connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert Group.objects.count() == 8 * 20
    assert not is_taken(queue)
