"""The web process stays light: it never loads torch, however many pages it serves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest
from django.conf import settings

REQUESTS = 100
LARGEST = 150 * 1024 * 1024
PAGES = ("/", "/runs/", "/editor/", "/setup/", "/health/", "/admin/")
LOAD_EVERYTHING = """
import sys
import flenwheel.wsgi
from django.urls import get_resolver

def visit(resolver):
    for pattern in resolver.url_patterns:
        visit(pattern) if hasattr(pattern, "url_patterns") else pattern.callback

visit(get_resolver())
print(sorted({"torch", "diffusers", "transformers", "onnxruntime", "cv2"} & set(sys.modules)))
"""


def product(var: Path) -> dict[str, str]:
    """The environment of an installation of its own."""
    return os.environ | {
        "FLENWHEEL_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "flenwheel.settings",
    }


def python(var: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.ROOT,
        env=product(var),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The real server over an empty database, and the address at which it answers."""
    (tmp_path / "broker" / "messages").mkdir(parents=True)
    python(tmp_path, "manage.py", "migrate", "-v", "0")
    python(tmp_path, "manage.py", "collectstatic", "--no-input", "-v", "0")
    site = f"http://127.0.0.1:{free_port()}"
    command = ["-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "4"]
    command += ["--port", site.rpartition(":")[2], "flenwheel.wsgi:application"]
    server = subprocess.Popen([sys.executable, *command], cwd=settings.ROOT, env=product(tmp_path))
    try:
        wait_for(f"{site}/login/")
        yield server, site
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 (our own)
        except urllib.error.URLError:
            assert time.monotonic() < deadline, f"{url} never answered"
            time.sleep(0.1)
        else:
            return


def test_a_web_process_stays_small(
    web: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    server, site = web
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    python(
        tmp_path,
        "manage.py",
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User; User.objects.create_superuser('operator')",
    )
    browser.open(python(tmp_path, "manage.py", "login_link", "--site", site)).close()
    for number in range(REQUESTS):
        with browser.open(site + PAGES[number % len(PAGES)]) as page:
            assert "/login/" not in page.url
            page.read()
    parent = psutil.Process(server.pid)
    assert max(one.memory_info().rss for one in [parent, *parent.children(True)]) < LARGEST


def test_no_page_loads_torch_or_opencv(tmp_path: Path) -> None:
    assert python(tmp_path, "-c", LOAD_EVERYTHING) == "[]"
