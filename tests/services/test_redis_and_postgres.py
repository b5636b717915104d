"""The same code over Redis and PostgreSQL, in real processes."""

from __future__ import annotations

import json

from tests.services.conftest import Installation

RULES = (
    "tests/curation/test_deciding.py",
    "tests/curation/test_freezing.py",
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


def test_it_is_well_over_redis_and_postgres(installation: Installation) -> None:
    answer = json.loads(installation.shell(HEALTH))
    assert answer["vendor"] == "postgresql"
    assert answer["database"] is answer["broker"] is True


def test_the_rows_keep_their_rules_on_postgres(installation: Installation) -> None:
    """The tests of what a database must refuse and of who wins a race, once more over Postgres."""
    pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *RULES)
    assert " passed" in installation.python(*pytest, settings_module="tests.settings")
