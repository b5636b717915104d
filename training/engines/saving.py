"""What a training leaves in its folder: half-finished, checkpoints; finished, the LoRA.

A checkpoint is the adapter and the optimizer's state after a step. No random state is in it: the
order of the data is a pure function of the seed and the step (flow.picks).
"""

from __future__ import annotations

import hashlib
import json
import math
from importlib.metadata import version

from torch.optim import Optimizer

from training.engines.base import EngineError
from training.engines.checkpoint import (
    Checkpoint,
    flatten_optimizer,
    keep_lines,
    load_newest,
    restore_optimizer,
    save_checkpoint,
    write_atomically,
)
from training.engines.lora import lora_file, put_weights, trained_weights
from training.engines.lora_headers import header
from training.engines.preparing import Run

PACKAGES = ("torch", "diffusers", "transformers", "peft", "bitsandbytes")


def resume(run: Run, optimizer: Optimizer) -> int:
    """Put back the newest checkpoint; returns how many steps are done.

    Raises EngineError where the folder's checkpoints are another run's.
    """
    saved = load_newest(run.job.folder / "checkpoints")
    if saved is None:
        keep_lines(run.job.folder / "losses.jsonl", 0)
        return 0
    if saved.facts["identity"] != run.identity:
        raise EngineError(
            f"{run.job.folder} holds checkpoints of another recipe, base or data. "
            "Start this training in a folder of its own."
        )
    put_weights(run.denoiser.transformer, saved.adapter)
    restore_optimizer(optimizer, saved.optimizer, saved.facts["numbers"])
    keep_lines(run.job.folder / "losses.jsonl", saved.step)
    return saved.step


def save_state(run: Run, step: int, optimizer: Optimizer) -> None:
    """Write a checkpoint. Tells `checkpoint`."""
    tensors, numbers = flatten_optimizer(optimizer)
    facts = {"identity": run.identity, "numbers": numbers}
    weights = trained_weights(run.denoiser.transformer)
    folder = run.job.folder / "checkpoints"
    save_checkpoint(folder, Checkpoint(step, weights, tensors, facts))
    run.watcher.tell("checkpoint", step=step)


def save_lora(run: Run, proven: float) -> None:
    """Write recipe.json and lora.safetensors, the latter last: where it lies, all is done.

    Tells `done`.
    """
    pack = run.pack
    side = pack.size if pack.family == "flux" else math.isqrt(pack.vae_area)
    said = header(run.job, side, pack.fingerprint, run.identity["data"])
    content = lora_file(run.denoiser.transformer, said)
    made_by = {
        **run.identity,
        "base_title": pack.title,
        "effect": proven,
        "versions": {name: version(name) for name in PACKAGES},
    }
    folder = run.job.folder
    write_atomically(folder / "recipe.json", json.dumps(made_by, indent=1).encode())
    write_atomically(folder / "lora.safetensors", content)
    digest = hashlib.sha256(content).hexdigest()
    run.watcher.tell("done", file=str(folder / "lora.safetensors"), sha256=digest, effect=proven)
