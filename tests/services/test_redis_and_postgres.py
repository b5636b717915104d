"""The same code over Redis and PostgreSQL, in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings

from tests.services.conftest import Installation

RULES = (
    "tests/curation/test_claiming.py",
    "tests/curation/test_deciding.py",
    "tests/curation/test_freezing.py",
    "tests/curation/test_gold.py",
    "tests/curation/test_second_opinions.py",
    "tests/flenwheel/test_prepared.py",
    "tests/flenwheel/test_writes.py",
    "tests/training/test_register_packs.py",
    "tests/training/test_runs.py",
)
HEALTH = """
import json
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
browser = Client()
browser.force_login(User.objects.create_superuser("operator"))
print(json.dumps(browser.get("/health/").json() | {"vendor": connection.vendor}))
"""

LOAD_A_CHARACTER_WITHOUT_A_FACE_MODEL = """
from training.dolls import demo
from training.models import BaseModel
BaseModel.objects.create(name="none", family="gate", folder="/nowhere", preferred=True)
demo.load(0)
"""
WORKER = ("-m", "celery", "-A", "flenwheel", "worker", "-Q", "cpu", "--pool", "solo")


@pytest.fixture
def worker(installation: Installation) -> Iterator[None]:
    started = subprocess.Popen(
        [sys.executable, *WORKER], cwd=settings.ROOT, env=installation.environment
    )
    try:
        yield
    finally:
        started.terminate()
        started.wait(timeout=60)


def how_the_run_ended(url: str) -> tuple[str, str]:
    with psycopg.connect(url, autocommit=True) as rows:
        for _ in range(1200):
            found = rows.execute(
                "SELECT status, failure FROM training_run WHERE finished_at IS NOT NULL"
            ).fetchone()
            if found:
                return found
            time.sleep(0.1)
    pytest.fail("the worker never finished the run")


def test_it_is_well_over_redis_and_postgres(installation: Installation) -> None:
    answer = json.loads(installation.shell(HEALTH))
    assert answer["vendor"] == "postgresql"
    assert answer["database"] is answer["broker"] is True


def test_the_rows_keep_their_rules_on_postgres(installation: Installation) -> None:
    """The tests of what a database must refuse and of who wins a race, once more over Postgres."""
    pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *RULES)
    assert " passed" in installation.python(*pytest, settings_module="tests.settings")


@pytest.mark.usefixtures("worker")
def test_a_worker_carries_a_run_to_its_end(installation: Installation) -> None:
    installation.shell(LOAD_A_CHARACTER_WITHOUT_A_FACE_MODEL)
    status, failure = how_the_run_ended(installation.environment["FLENWHEEL_DATABASE_URL"])
    assert status == "failed"
    assert "holds no detection model" in failure
