from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from flenwheel import upgrading


def manage(var: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.ROOT,
        env=os.environ
        | {"FLENWHEEL_VAR": str(var), "DJANGO_SETTINGS_MODULE": "flenwheel.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def upgrade(var: Path) -> str:
    return manage(
        var,
        "shell",
        "--no-imports",
        "-c",
        "from pathlib import Path; from flenwheel.upgrading import upgrade;"
        f"print(upgrade(Path({str(var / 'backups')!r})))",
    ).strip()


def test_an_older_database_is_copied_before_it_is_upgraded(tmp_path: Path) -> None:
    assert upgrade(tmp_path) == "None"
    assert upgrade(tmp_path) == "None"
    manage(
        tmp_path,
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User; User.objects.create_user('alice')",
    )
    manage(tmp_path, "migrate", "admin", "0001")
    copy = Path(upgrade(tmp_path))
    assert copy.parent == tmp_path / "backups"
    with sqlite3.connect(copy) as old:
        assert old.execute("SELECT username FROM auth_user").fetchall() == [("alice",)]
        assert old.execute(
            "SELECT count(*) FROM django_migrations WHERE app = 'admin'"
        ).fetchone() == (1,)


@pytest.mark.django_db
def test_a_database_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    assert upgrading.upgrade(tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()
