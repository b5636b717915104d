"""Keeps a handful of processes alive on one machine until it is told to stop.

It knows commands, logs and signals, nothing of what the processes do.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PATIENCE = 100.0
"""Seconds a process may take to end before it is killed: a real training has a step to finish and
a checkpoint to write. Whatever can end at once does."""
STEADY = 60.0
"""Seconds a process must have lived for its next death to count as the first."""
LONGEST_PAUSE = 30.0
ROUND = 0.2
"""Seconds between two looks at every process."""
LARGEST_LOG = 10 * 1024 * 1024


class AlreadyRunning(Exception):
    """Another supervisor holds this folder; `url` is where it answers."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


@contextmanager
def only_one(lock: Path, url: str) -> Iterator[None]:
    """Hold `lock` and leave `url` in it for whoever comes second.

    Raises:
        AlreadyRunning: somebody else holds it.
    """
    with lock.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            held.seek(0)
            raise AlreadyRunning(json.loads(held.read())["url"]) from taken
        held.truncate(0)
        held.write(json.dumps({"pid": os.getpid(), "url": url}))
        held.flush()
        yield


def die_with_parent() -> None:
    """Ask Linux for a SIGTERM when the supervisor is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process that is to stay alive in `folder`; everything it says goes to `log_file`.

    It is not started before `start_at` on the monotonic clock.
    """

    name: str
    command: Sequence[str]
    log_file: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = 0.0

    def start(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Ctrl-C in a terminal reaches the supervisor alone, which then ends them in order.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Note a death and start it again, later each time it dies young."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.signal_group(signal.SIGKILL)
        self.process = None
        self.deaths = 1 if now - self.started_at > STEADY else self.deaths + 1
        pause = min(2.0 ** (self.deaths - 1), LONGEST_PAUSE)
        self.start_at = now + pause
        log.warning(
            "%s ended (%s); starting it again in %.0f s. Its log: %s",
            self.name,
            status,
            pause,
            self.log_file,
        )

    def signal_group(self, signum: signal.Signals) -> None:
        """Reach the process and whatever it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signum)
        except ProcessLookupError:
            return


def stop(children: Sequence[Child]) -> None:
    """End all of them, gently for `PATIENCE` seconds; no grandchild is left behind."""
    for child in children:
        if child.process is not None:
            child.process.terminate()
    deadline = time.monotonic() + PATIENCE
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in time and is killed", child.name)
        child.signal_group(signal.SIGKILL)
        child.process.wait()
        child.process = None


@contextmanager
def asked_to_stop() -> Iterator[Event]:
    """The event is set by Ctrl-C, SIGTERM and SIGHUP; they have no other effect meanwhile."""
    event = Event()
    previous = {
        signum: signal.signal(signum, lambda _signum, _frame: event.set())
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield event
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)


def keep_alive(children: Sequence[Child]) -> Generator[None, None, None]:
    """Start `children` and restart what dies, yielding each round; when asked, stop them all."""
    with asked_to_stop() as asked:
        try:
            while not asked.wait(ROUND):
                for child in children:
                    child.watch()
                yield
            log.info("Stopping.")
        finally:
            stop(children)
