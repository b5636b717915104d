"""Checkpoints that a kill cannot spoil: written aside, synced, renamed; the last two are kept.

safetensors and JSON only. Knows tensors and folders, not what they mean.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.optim import Optimizer

from training.engines.base import EngineError

logger = logging.getLogger(__name__)

KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after `step` optimizer steps."""

    step: int
    adapter: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    facts: dict[str, Any]
    """What must be the same for a resume to be meant, and the optimizer's plain numbers."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file in one step; after a crash it is the old one or the new one, whole."""
    aside = path.with_name(f".{path.name}.part")
    _write_through(aside, content)
    aside.replace(path)
    _sync_folder(path.parent)


def save_checkpoint(folder: Path, checkpoint: Checkpoint, keep: Container[int] = ()) -> None:
    """Add to `folder` and drop all but the newest two and those after the steps to `keep`."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    _write_through(aside / "adapter.safetensors", save(_on_cpu(checkpoint.adapter)))
    _write_through(aside / "optimizer.safetensors", save(_on_cpu(checkpoint.optimizer)))
    _write_through(aside / "facts.json", json.dumps(checkpoint.facts).encode())
    whole = folder / f"step-{checkpoint.step:08d}"
    shutil.rmtree(whole, ignore_errors=True)
    aside.rename(whole)
    _sync_folder(folder)
    for old in _newest_first(folder)[KEPT:]:
        if _step_of(old) not in keep:
            shutil.rmtree(old)


def load_newest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that can be read, or None. A damaged one is passed over and logged."""
    for path in _newest_first(folder):
        try:
            return Checkpoint(
                step=_step_of(path),
                adapter=load_file(path / "adapter.safetensors"),
                optimizer=load_file(path / "optimizer.safetensors"),
                facts=json.loads((path / "facts.json").read_text(encoding="utf-8")),
            )
        except (OSError, ValueError, SafetensorError):
            logger.warning("passing over the damaged checkpoint %s", path, exc_info=True)
    return None


def steps_saved(folder: Path) -> set[int]:
    return {_step_of(path) for path in _newest_first(folder)}


def load_adapter(folder: Path, step: int) -> dict[str, Tensor]:
    """The adapter after `step` steps. Raises EngineError when it cannot be read."""
    path = folder / f"step-{step:08d}" / "adapter.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise EngineError(
            f"The checkpoint to keep, {path}, cannot be read ({error}). Train again."
        ) from error


def flatten_optimizer(optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state as named tensors, and the numbers in it that are not tensors.

    Not by state_dict(), in which bitsandbytes nests its 8-bit tensors.
    """
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, weight in enumerate(_weights(optimizer)):
        for name, value in optimizer.state[weight].items():
            (tensors if isinstance(value, Tensor) else numbers)[f"{index}.{name}"] = value
    return tensors, numbers


def restore_optimizer(
    optimizer: Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> None:
    """Undo flatten_optimizer on a fresh optimizer over the same weights."""
    weights = _weights(optimizer)
    for key, value in {**tensors, **numbers}.items():
        index, _, name = key.partition(".")
        weight = weights[int(index)]
        placed = value.to(weight.device) if isinstance(value, Tensor) else value
        optimizer.state[weight][name] = placed


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def keep_lines(path: Path, count: int) -> None:
    """Cut a file to its first `count` lines; a missing file stays missing."""
    if path.exists():
        lines = path.read_bytes().splitlines(keepends=True)
        write_atomically(path, b"".join(lines[:count]))


def _step_of(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"), reverse=True)


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _write_through(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
