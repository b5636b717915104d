"""The one command, as a newcomer runs it: real processes over a folder of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest
from django.conf import settings

LINK = re.compile(r"http://127\.0\.0\.1:\d+/login/\S+")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(var: Path, port: int) -> subprocess.Popen[str]:
    own = {"FLENWHEEL_VAR": str(var), "FLENWHEEL_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=settings.ROOT,
        env=os.environ | own | {"DJANGO_SETTINGS_MODULE": "flenwheel.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )


def link_from(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    said = []
    for line in started.stdout:
        said.append(line)
        if found := LINK.search(line):
            return found[0]
    pytest.fail("no link was printed: " + "".join(said))


@dataclass(frozen=True)
class FirstStart:
    """What became of a first start that Ctrl-C ended."""

    var: Path
    page: str
    family: list[psutil.Process]
    status: int


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    var = tmp_path_factory.mktemp("var")
    started = start(var, free_port())
    page = open_in_browser(link_from(started))
    family = everyone(psutil.Process(started.pid))
    deaf(family, started.pid).suspend()
    started.send_signal(signal.SIGINT)
    return FirstStart(var, page, family, started.wait(timeout=60))


def deaf(family: list[psutil.Process], supervisor: int) -> psutil.Process:
    """A web process that hears no signal, as one forked while the signal comes."""
    return next(p for p in family if "granian" in p.cmdline() and p.ppid() != supervisor)


def everyone(supervisor: psutil.Process) -> list[psutil.Process]:
    """Web and its worker process, two Celery workers, beat."""
    deadline = time.monotonic() + 30
    while len(family := supervisor.children(recursive=True)) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    return family


@pytest.fixture(scope="module")
def up(first_start: FirstStart) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Started again over what the first start left, and where it answers."""
    started = start(first_start.var, free_port())
    try:
        yield started, link_from(started).partition("/login/")[0]
    finally:
        started.send_signal(signal.SIGINT)
        started.wait(timeout=60)


def open_in_browser(link: str) -> str:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(link) as page:
        return str(page.read().decode())


def answers(site: str) -> bool:
    try:
        urllib.request.urlopen(f"{site}/login/", timeout=5).close()  # noqa: S310 (our own)
    except OSError:
        return False
    return True


def test_the_link_leads_a_newcomer_to_the_demo(first_start: FirstStart) -> None:
    assert "Juno" in first_start.page


def test_ctrl_c_stops_everything(first_start: FirstStart) -> None:
    assert first_start.status == 0
    assert len(first_start.family) >= 5  # The second web process may still have been on its way.
    assert not [process for process in first_start.family if process.is_running()]


def test_a_second_start_finds_the_first(
    up: tuple[subprocess.Popen[str], str], first_start: FirstStart
) -> None:
    _, site = up
    second = start(first_start.var, free_port())
    assert link_from(second).startswith(site + "/login/")
    assert second.wait(timeout=60) == 0


def test_what_is_killed_comes_back(up: tuple[subprocess.Popen[str], str]) -> None:
    started, site = up
    killed = psutil.Process(started.pid).children(recursive=True)
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=30)
    deadline = time.monotonic() + 60
    while not answers(site):
        assert time.monotonic() < deadline, "the page never came back"
        time.sleep(0.2)
