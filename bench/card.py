"""`python -m bench.card`: how long the server takes for a model card of 8 versions x 150 pictures.

Rows alone, in a database of their own; the page is asked for as a browser does, without network.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from statistics import median
from tempfile import TemporaryDirectory

import django
from django.core.management import call_command

VERSIONS, SEEDS, TIMES = 8, 10, 15

VAR = TemporaryDirectory()
os.environ["FLENWHEEL_VAR"] = VAR.name
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flenwheel.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from curation.models import Role, Subject  # noqa: E402
from tests.training.pages import make_full_column, make_lora  # noqa: E402


def fill() -> Client:
    """Juno with a base and seven versions, and Alice, who may see them."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    alice = User.objects.create_user("alice")
    juno = Subject.objects.create(name="Juno", slug="juno")
    juno.members.add(alice, through_defaults={"role": Role.CURATOR})
    for number in range(1, VERSIONS):
        make_full_column(juno, make_lora(juno, number), SEEDS)
    make_full_column(juno, None, SEEDS)
    client = Client()
    client.force_login(alice)
    return client


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    client = fill()
    for address in ("/s/juno/card/", "/s/juno/card/?versions=base,1,2,3,4,5,6,7"):
        seconds = []
        for _ in range(TIMES):
            with CaptureQueriesContext(connection) as asked:
                started, cpu = time.perf_counter(), time.process_time()
                page = client.get(address)
                seconds.append((time.perf_counter() - started, time.process_time() - cpu))
        wall, busy = (1000 * median(each) for each in zip(*seconds, strict=True))
        sys.stdout.write(
            f"{address}: {page.status_code}, {wall:.0f} ms of wall clock, {busy:.0f} ms of CPU "
            f"(medians of {TIMES}), {len(asked)} SQL statements, {len(page.content) / 1e6:.2f} MB\n"
        )


if __name__ == "__main__":
    main()
