"""Fits a module: an optimizer, warm-up, plateau and decay, a moving average, resumable checkpoints.

Batches are drawn from the step's own seed, so a resumed fit sees what an unbroken one would have.
Knows nothing of what is fitted.
"""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

log = logging.getLogger(__name__)

_FUSED = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast; raise `steps` before the decay begins to train on at no loss."""

    steps: int
    rate: float
    warm_up: int = 200
    decay: float = 0.3
    """The last share of the steps, in which the rate falls to zero."""
    weight_decay: float = 0.01
    average: float = 0.998
    save_every: int = 250

    def rate_at(self, step: int) -> float:
        remaining = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.rate * min(1.0, (step + 1) / self.warm_up, remaining)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def mixed_precision() -> Iterator[None]:
    """bfloat16 where it pays: CUDA, and CPUs with avx512_bf16 or amx.

    On CPUs the fused attention's bfloat16 backward is slower than plain matrix products.
    """
    fused = [SDPBackend.MATH] if device().type == "cpu" else list(_FUSED)
    with torch.autocast(device().type, torch.bfloat16), sdpa_kernel(fused):
        yield


def fit(
    module: torch.nn.Module,
    loss_at: Callable[[int], torch.Tensor],
    schedule: Schedule,
    checkpoint: Path,
    optimizer: torch.optim.Optimizer | None = None,
) -> float:
    """Train `module` in place on `loss_at(step)` and leave the moving average in it.

    The optimizer is AdamW where none is given. Goes on from `checkpoint` if that file exists.
    Returns the recent mean loss.
    """
    optimizer = optimizer or torch.optim.AdamW(
        module.parameters(), lr=schedule.rate, weight_decay=schedule.weight_decay, fused=True
    )
    average = copy.deepcopy(module).requires_grad_(False)
    step, recent = _resume(checkpoint, module, average, optimizer)
    began, first = time.monotonic(), step
    while step < schedule.steps:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate_at(step)
        loss = loss_at(step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        _follow(average, module, min(schedule.average, step / (step + 10)))
        recent = loss.item() if step == 1 else 0.99 * recent + 0.01 * loss.item()
        if step % schedule.save_every == 0 or step == schedule.steps:
            _save(checkpoint, step, recent, (module, average), optimizer)
            pace = (time.monotonic() - began) / (step - first)
            log.info("%s: step %d, loss %.4f, %.3f s", checkpoint.stem, step, recent, pace)
    module.load_state_dict(average.state_dict())
    return recent


@torch.no_grad()
def _follow(average: torch.nn.Module, module: torch.nn.Module, keep: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), 1 - keep)
    for kept, latest in zip(average.buffers(), module.buffers(), strict=True):
        kept.copy_(latest)


def _save(
    path: Path,
    step: int,
    loss: float,
    modules: tuple[torch.nn.Module, torch.nn.Module],
    optimizer: torch.optim.Optimizer,
) -> None:
    tensors = {f"module.{k}": v for k, v in modules[0].state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in modules[1].state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    contiguous = {k: v.detach().clone().contiguous() for k, v in tensors.items()}
    save_file(contiguous, partial, {"step": str(step), "loss": json.dumps(loss)})
    partial.rename(path)


def _resume(
    path: Path,
    module: torch.nn.Module,
    average: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    tensors, step, loss = read_checkpoint(path)
    module.load_state_dict(_under("module.", tensors))
    average.load_state_dict(_under("average.", tensors))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in _under("optimizer.", tensors).items():
        index, _, field = name.partition(".")
        state.setdefault(int(index), {})[field] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return step, loss


def read_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], int, float]:
    """All tensors of a checkpoint, its step and its recent loss."""
    with safe_open(path, framework="pt", device=str(device())) as file:
        facts = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (the file is no mapping)
    return tensors, int(facts["step"]), float(facts["loss"])


def load_average(module: torch.nn.Module, path: Path) -> float:
    """Put a checkpoint's moving average into `module`; returns the recent loss."""
    tensors, _, loss = read_checkpoint(path)
    module.load_state_dict(_under("average.", tensors))
    return loss


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
