"""Real servers on free ports, started once for the tests that need them and gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings

MADE_BY_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_redis(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            redis.Redis(port=port).ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("redis-server does not answer")


def unprivileged() -> tuple[list[str], int]:
    """Postgres refuses to run as root: how to run as somebody else, and whose files they are."""
    if os.geteuid() != 0:
        return [], os.geteuid()
    nobody = pwd.getpwnam("nobody")
    return ["runuser", "-u", nobody.pw_name, "--"], nobody.pw_uid


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    program = shutil.which("pg_ctl", path=os.pathsep.join(map(str, MADE_BY_DEBIAN)))
    program = program or shutil.which("pg_ctl")
    if program is None:
        pytest.skip("PostgreSQL is not installed")
    as_somebody, owner = unprivileged()
    with tempfile.TemporaryDirectory(prefix="flenwheel-postgres-") as name:
        os.chown(name, owner, -1)
        port = free_port()
        pg_ctl = [*as_somebody, program, "-D", f"{name}/data", "-s"]
        subprocess.run(
            [*pg_ctl, "initdb", "-o", "-A trust -U flenwheel -E UTF8 --locale=C --no-sync"],
            check=True,
            cwd=name,
            stdout=subprocess.DEVNULL,
        )
        options = f"-h 127.0.0.1 -p {port} -k {name} -c fsync=off"
        subprocess.run(
            [*pg_ctl, "-l", f"{name}/log", "-w", "-o", options, "start"], check=True, cwd=name
        )
        try:
            yield port
        finally:
            subprocess.run([*pg_ctl, "-m", "immediate", "-w", "stop"], check=True, cwd=name)


@pytest.fixture
def postgres_url(postgres_port: int) -> Iterator[str]:
    """An empty database of the test's own."""
    name = f"test_{time.monotonic_ns()}"
    server = f"postgres://flenwheel@127.0.0.1:{postgres_port}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Installation:
    """The product over servers, in processes of its own."""

    environment: dict[str, str]

    def python(self, *arguments: str, settings_module: str = "flenwheel.settings") -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=settings.ROOT,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": settings_module},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def shell(self, code: str) -> str:
        return self.python("manage.py", "shell", "--no-imports", "-c", code)


@pytest.fixture
def installation(redis_url: str, postgres_url: str, tmp_path: Path) -> Installation:
    made = Installation(
        os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "flenwheel.settings",
            "FLENWHEEL_VAR": str(tmp_path),
            "FLENWHEEL_BROKER_URL": redis_url,
            "FLENWHEEL_DATABASE_URL": postgres_url,
        }
    )
    made.python("manage.py", "migrate", "-v", "0")
    return made
