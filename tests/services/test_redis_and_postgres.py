"""The same code over Redis and PostgreSQL, in real processes."""

from __future__ import annotations

import json

from tests.services.conftest import Installation

HEALTH = """
import json
from django.contrib.auth.models import User
from django.test import Client
browser = Client()
browser.force_login(User.objects.create_superuser("operator"))
print(json.dumps(browser.get("/health/").json()))
"""


def test_it_is_well_over_redis_and_postgres(installation: Installation) -> None:
    answer = json.loads(installation.shell(HEALTH))
    assert answer["database"] is answer["broker"] is True


def test_the_rows_need_no_migration_on_postgres(installation: Installation) -> None:
    installation.python("manage.py", "makemigrations", "--check", "--dry-run")
