"""The Celery application. Tasks are imported by workers only, so the web process stays light."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flenwheel.settings")

app = Celery("flenwheel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("training.tasks",)


def make_broker_folders() -> None:
    """The file-system transport dies when its folders are missing; every start makes them."""
    for name, folder in settings.CELERY_BROKER_TRANSPORT_OPTIONS.items():
        if name.endswith("_folder") or name.startswith("data_folder"):
            Path(folder).mkdir(parents=True, exist_ok=True)


make_broker_folders()
