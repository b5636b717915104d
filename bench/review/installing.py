"""An empty installation over a database of its own, gone when it was measured.

Knows folders, Postgres and the environment; knows nothing of Django.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SQLITE, POSTGRES = "sqlite", "postgres"
MADE_BY_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def installation(database: str) -> Iterator[dict[str, str]]:
    """The environment in which the product works in a folder and database of its own."""
    with TemporaryDirectory(prefix="flenwheel-bench-") as var, _server(database) as url:
        yield os.environ | {
            "DJANGO_SETTINGS_MODULE": "flenwheel.settings",
            "FLENWHEEL_VAR": var,
            "FLENWHEEL_DATABASE_URL": url or f"sqlite:///{var}/db.sqlite3",
        }


@contextmanager
def _server(database: str) -> Iterator[str]:
    """Its URL, empty for SQLite. Postgres is as it comes: fsync and synchronous_commit are on."""
    if database == SQLITE:
        yield ""
        return
    with TemporaryDirectory(prefix="flenwheel-postgres-") as folder:
        port, pg_ctl = _free_port(), [*_as_somebody(folder), _program(), "-D", f"{folder}/data"]
        _say([*pg_ctl, "-s", "initdb", "-o", "-A trust -U flenwheel -E UTF8 --locale=C"], folder)
        options = f"-h 127.0.0.1 -p {port} -k {folder}"
        _say([*pg_ctl, "-s", "-w", "-l", f"{folder}/log", "-o", options, "start"], folder)
        try:
            yield f"postgres://flenwheel@127.0.0.1:{port}/postgres"
        finally:
            _say([*pg_ctl, "-s", "-w", "-m", "immediate", "stop"], folder)


def _say(command: list[str], folder: str) -> None:
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def _program() -> str:
    program = shutil.which("pg_ctl", path=os.pathsep.join(map(str, MADE_BY_DEBIAN)))
    program = program or shutil.which("pg_ctl")
    if program is None:
        raise FileNotFoundError("PostgreSQL is not installed.")
    return program


def _as_somebody(folder: str) -> list[str]:
    """Postgres refuses to run as root: how to run as somebody else, who gets the folder."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, -1)
    return ["runuser", "-u", nobody.pw_name, "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
