"""SQLite with a queue for those who write, so that nobody waits longer than the ones before take.

SQLite lets one transaction write at a time, and who finds it taken sleeps and looks again, up to
100 ms later: under load the lock is free while everybody sleeps. Here everybody looks again in
2 ms, at a lock of the operating system, which goes with the process that held it. SQLite's own lock
stays the one that counts: who has waited as long as it would asks it all the same.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import Any

from django.db.backends.sqlite3 import base, features

PAUSE = 0.002
"""Seconds between two looks at the queue."""
PATIENCE = 5.0
"""Seconds that SQLite waits where nothing is said."""


class DatabaseFeatures(features.DatabaseFeatures):
    supports_json_field = True  # From SQLite 3.38 always; Django would ask each new connection.


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, whose types do not tell of the methods that begin and end a transaction."""

    features_class = DatabaseFeatures
    _queue: int | None = None

    def _start_transaction_under_autocommit(self) -> None:
        self._stand_in_line()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._leave()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        if self._queue is not None:
            os.close(self._queue)
            self._queue = None

    def _stand_in_line(self) -> None:
        if self.is_in_memory_db():
            return
        if self._queue is None:
            path = f"{self.settings_dict['NAME']}-queue"
            self._queue = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        patience = time.monotonic() + self.settings_dict["OPTIONS"].get("timeout", PATIENCE)
        while not self._is_next(self._queue) and time.monotonic() < patience:
            time.sleep(PAUSE)

    def _is_next(self, line: int) -> bool:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _leave(self) -> None:
        if self._queue is not None:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
