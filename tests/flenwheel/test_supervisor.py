from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flenwheel.supervisor import AlreadyRunning, Child, keep_alive, only_one, stop

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
PARENT_OF_SLEEPER = (
    sys.executable,
    "-c",
    "import subprocess, sys, pathlib, time;"
    f"child = subprocess.Popen({SLEEPER!r});"
    "pathlib.Path('grandchild').write_text(str(child.pid)); time.sleep(60)",
)
SUPERVISOR = """
import sys
from pathlib import Path
from flenwheel.supervisor import Child, keep_alive
folder = Path(sys.argv[1])
child = Child("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"),
              folder / "sleeper.log", folder)
for _round in keep_alive([child]):
    (folder / "pid").write_text(str(child.process.pid))
"""


def comes_true(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def child_of(folder: Path, command: tuple[str, ...]) -> Child:
    return Child(name="child", command=command, log_file=folder / "logs" / "it.log", folder=folder)


def supervisor_process(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    started = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(folder)])
    assert comes_true(lambda: (folder / "pid").exists() and (folder / "pid").read_text() != "")
    return started, int((folder / "pid").read_text())


def test_what_dies_is_started_again(tmp_path: Path) -> None:
    child = child_of(tmp_path, SLEEPER)
    rounds = keep_alive([child])
    next(rounds)
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert comes_true(
        lambda: next(rounds) is None and child.process is not None and child.process.pid != first
    )
    rounds.close()
    assert child.process is None


def test_what_dies_young_again_and_again_waits_longer(tmp_path: Path) -> None:
    child = child_of(tmp_path, (sys.executable, "-c", "print('oh')"))
    pauses = []
    for _death in range(3):
        child.start()
        assert child.process is not None
        child.process.wait()
        child.watch()
        pauses.append(round(child.start_at - time.monotonic()))
    assert pauses == [1, 2, 4]
    assert (tmp_path / "logs" / "it.log").read_text() == "oh\noh\noh\n"


def test_stopping_leaves_no_grandchild(tmp_path: Path) -> None:
    child = child_of(tmp_path, PARENT_OF_SLEEPER)
    child.start()
    assert comes_true(lambda: (tmp_path / "grandchild").exists())
    assert comes_true(lambda: (tmp_path / "grandchild").read_text() != "")
    grandchild = int((tmp_path / "grandchild").read_text())
    stop([child])
    assert comes_true(lambda: not lives(grandchild))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_supervisor(tmp_path: Path, signum: signal.Signals) -> None:
    supervisor, child = supervisor_process(tmp_path)
    supervisor.send_signal(signum)
    supervisor.wait()
    assert comes_true(lambda: not lives(child))


def test_whoever_comes_second_is_told_where_the_first_answers(tmp_path: Path) -> None:
    lock = tmp_path / "supervisor.lock"
    with (
        only_one(lock, "http://127.0.0.1:8001"),
        pytest.raises(AlreadyRunning) as second,
        only_one(lock, "http://127.0.0.1:8002"),
    ):
        pass
    assert second.value.url == "http://127.0.0.1:8001"


def test_a_lock_left_behind_stops_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "supervisor.lock"
    lock.write_text('{"pid": 1, "url": "http://127.0.0.1:8001"}')
    with only_one(lock, "http://127.0.0.1:8002"):
        assert "8002" in lock.read_text()
