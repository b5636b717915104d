from __future__ import annotations

import importlib

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        importlib.import_module("training.arrivals")  # Connects itself; needs the models loaded.
