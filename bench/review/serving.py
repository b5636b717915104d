"""The web process, as `manage.py up` starts it, and logging in to it over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User

from flenwheel.login_link import login_path
from flenwheel.supervisor import stop
from training.management.commands.up import answers, free_port, processes

PATIENCE = 60.0
"""Seconds in which the web process must answer."""


@contextmanager
def served() -> Iterator[str]:
    """The address of a real web process over this installation."""
    port = free_port(settings.PORT)
    site = f"http://127.0.0.1:{port}"
    web = next(process for process in processes(port) if process.name == "web")
    web.start()
    try:
        _wait_for(site)
        yield site
    finally:
        stop([web])


def _wait_for(site: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(site):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{site} never answered.")
        time.sleep(0.1)


def cookies_of(site: str, user: User) -> dict[str, str]:
    """What a browser holds after the login link: `sessionid` and `csrftoken`."""
    line = HTTPConnection(urlsplit(site).netloc, timeout=PATIENCE)
    line.request("GET", login_path(user))
    told = line.getresponse().headers.get_all("Set-Cookie", [])
    line.close()
    jar = SimpleCookie("; ".join(cookie.split(";")[0] for cookie in told))
    return {name: morsel.value for name, morsel in jar.items()}
