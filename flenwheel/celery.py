"""The Celery application. Tasks are imported by workers only, so the web process stays light."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flenwheel.settings")

app = Celery("flenwheel", include=["training.tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.on_after_configure.connect
def make_broker_folders(**_signal: Any) -> None:
    """The file-system transport dies when its folders are missing; every start makes them."""
    for name, folder in settings.CELERY_BROKER_TRANSPORT_OPTIONS.items():
        if name.endswith("_folder") or name.startswith("data_folder"):
            Path(str(folder)).mkdir(parents=True, exist_ok=True)
