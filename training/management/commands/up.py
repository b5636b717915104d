"""Bring this machine's FLENwheel up: database, demo, web, workers; until Ctrl-C."""

from __future__ import annotations

import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from flenwheel.celery import make_broker_folders
from flenwheel.login_link import login_path
from flenwheel.supervisor import AlreadyRunning, Child, keep_alive, only_one
from flenwheel.upgrading import upgrade
from training.dolls import demo

OPERATOR = "operator"
DEMO_SEED = 0
DOLL_TO_TRY_WITH = 1
HEAD_START = 2.0
"""Seconds for which the page has the machine to itself: workers are slow to load."""
WEB_PROCESSES = ("--workers", "4", "--blocking-threads", "2")
"""One Python process uses one core, and connections fall to processes by lot: of two, one often had
most of the work."""
WEB_PATIENCE = ("--workers-kill-timeout", "10")
"""Seconds for requests to end. A web process that forks while a signal comes never hears of it."""
WORKER = ("-m", "celery", "-A", "flenwheel", "worker", "--without-gossip", "--without-mingle")


def free_port(wanted: int) -> int:
    """`wanted`, or the first free port above it."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.BIND, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {wanted} and {wanted + 99}")


def processes(port: int) -> list[Child]:
    web = ("-m", "granian", "--interface", "wsgi", "--no-ws", *WEB_PROCESSES, *WEB_PATIENCE)
    commands = {
        "web": (*web, "--host", settings.BIND, "--port", str(port), "flenwheel.wsgi:application"),
        "cpu-worker": (*WORKER, "-Q", "cpu", "-n", "cpu@%h", "--pool", "threads", "-c", "2"),
        "gpu-worker": (*WORKER, "-Q", "gpu", "-n", "gpu@%h", "--pool", "solo"),
        # The plain scheduler keeps its clock in memory; the default one would write a pickle.
        "beat": ("-m", "celery", "-A", "flenwheel", "beat", "-S", "celery.beat:Scheduler"),
    }
    return [
        Child(
            name=name,
            command=(sys.executable, *command),
            log_file=settings.VAR / "logs" / f"{name}.log",
            folder=settings.ROOT,
            start_at=0.0 if name == "web" else time.monotonic() + HEAD_START,
        )
        for name, command in commands.items()
    ]


def operator() -> User:
    """Whoever the link logs in: made at the first start, without a password."""
    user, made = User.objects.get_or_create(
        username=OPERATOR, defaults={"is_staff": True, "is_superuser": True}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def answers(site: str) -> bool:
    try:
        urllib.request.urlopen(f"{site}/health/", timeout=2).close()  # noqa: S310 (our own)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        port = free_port(settings.PORT)
        site = f"http://127.0.0.1:{port}"
        try:
            with only_one(settings.VAR / "supervisor.lock", site):
                self.prepare()
                self.run(port, site)
        except AlreadyRunning as first:
            self.stdout.write("FLENwheel is running already.")
            self.say_where(first.url)

    def prepare(self) -> None:
        copy = upgrade(settings.VAR / "backups")
        if copy:
            self.stdout.write(f"The database was upgraded; a copy of the old one is {copy}")
        make_broker_folders()
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("register_packs", stdout=self.stdout)
        if not User.objects.filter(username=OPERATOR).exists():
            self.stdout.write("First start: drawing a character to try everything with.")
            demo.load(DEMO_SEED)
            demo.load_held_out()
            demo.draw(DOLL_TO_TRY_WITH, settings.VAR / "demo-dolls")
        operator()

    def run(self, port: int, site: str) -> None:
        told = False
        with closing(keep_alive(processes(port))) as rounds:
            for _round in rounds:
                if not told and answers(site):
                    told = True
                    self.say_where(site)
                    self.stdout.write("Ctrl-C stops everything.")

    def say_where(self, site: str) -> None:
        self.stdout.write("\n    " + site + login_path(operator()) + "\n")
        self.stdout.write("The link logs you in once, within half an hour; `make up` makes others.")
