"""What a training run left in its folder for people to read: loss, samples, log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.artifacts import run_folder, sample_files
from training.models import Run

LOG_BYTES = 16_000
SAMPLE = re.compile(r"step-(\d+)-(\d+)\.png")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The sample pictures drawn at one step."""

    step: int
    names: tuple[str, ...]


def losses(run: Run) -> list[tuple[int, float]]:
    """(step, loss) in order. A step done twice, before and after a resume, counts once."""
    path = run_folder(run) / "losses.jsonl"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted(dict(_points(lines)).items())


def _points(lines: Iterable[str]) -> Iterable[tuple[int, float]]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # A worker is writing it, or was killed while it did.
            continue
        yield int(row["step"]), float(row["loss"])


def checkpoints(run: Run) -> list[Checkpoint]:
    """Every step with samples, the newest first; none that show who withdrew their consent."""
    if is_withdrawn(run):
        return []
    by_step: dict[int, list[tuple[int, str]]] = {}
    for path in sample_files(run):
        match = SAMPLE.fullmatch(path.name)
        if match:
            by_step.setdefault(int(match[1]), []).append((int(match[2]), path.name))
    return [
        Checkpoint(step, tuple(name for _, name in sorted(by_step[step])))
        for step in sorted(by_step, reverse=True)
    ]


def sample(run: Run, name: str) -> Path | None:
    """The file of one sample; None for any name that training does not give, and where consent
    for what it learned from was withdrawn."""
    path = run_folder(run) / "samples" / name
    is_there = SAMPLE.fullmatch(name) and path.is_file() and not is_withdrawn(run)
    return path if is_there else None


def is_withdrawn(run: Run) -> bool:
    return run.snapshot is not None and run.snapshot.num_withdrawn() > 0


def log_tail(run: Run) -> str:
    """The end of what the training process said; empty where there was none."""
    path = run_folder(run) / "child.log"
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - LOG_BYTES))
        return log.read().decode(errors="replace")
