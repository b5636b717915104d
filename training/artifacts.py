"""Where a run's files lie: everything of a run in its own folder, named by its number."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from training.models import ForeignLora, LoraVersion, Run


def run_folder(run: Run) -> Path:
    return Path(settings.RUNS, str(run.pk))


def lora_path(lora: LoraVersion | ForeignLora) -> Path:
    return Path(settings.RUNS, lora.file)


def sample_files(run: Run) -> list[Path]:
    """The pictures drawn at checkpoints, oldest first."""
    return sorted((run_folder(run) / "samples").glob("step-*.png"))
