from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

HASHED = {"staticfiles": {"BACKEND": "flenwheel.static_files.HashedStaticFiles"}}


def test_what_a_script_imports_has_a_name_that_changes_with_it(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=settings.STORAGES | HASHED):
        call_command("collectstatic", interactive=False, verbosity=0)
        script = tmp_path / staticfiles_storage.stored_name("review.js")
    imported = re.findall(r'from "\./([^"]+)"', script.read_text())
    assert len(imported) > 10
    for name in imported:
        assert re.fullmatch(r"[a-z]+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / name).is_file()
