"""Train a LoRA: prepare, fit, prove, save. One loop for every family.

Knows a Job and its folder, tells what happens through a callback, and leaves a file that
load_lora_weights reads.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from bitsandbytes.optim.adamw import AdamW8bit
from torch import Tensor, nn

from training.engines import flow
from training.engines.base import EngineError, Job, Recipe
from training.engines.encoding import Encoded
from training.engines.families import FAMILIES
from training.engines.lora import fit_new
from training.engines.packs import number_format
from training.engines.preparing import Run, prepare
from training.engines.proof import effect
from training.engines.sampling import is_sampled, look
from training.engines.saving import resume, save_lora, save_state, take_kept
from training.engines.watching import Stopped, Tell, Watcher

MAX_GRAD_NORM = 1.0


def train(job: Job, tell: Tell, stopping: Callable[[], bool]) -> None:
    """Carry out the job, or go on with it from its newest checkpoint.

    Tells `phase`, `step`, `checkpoint`, `sample`, `likeness`, `beat` and at last `done`. Raises
    EngineError, or Stopped within one step, of training or of denoising, after `stopping` becomes
    true.
    """
    run = prepare(job, Watcher(tell, stopping))
    kept = take_kept(run, fit(run))
    tell("phase", name="proof")
    save_lora(run, kept, effect(run.denoiser, run.proofs, run.watcher.beat))


def fit(run: Run) -> int:
    """Fit a LoRA to the examples, from the newest checkpoint on where there is one.

    Returns how many steps were done: all, or fewer where likeness ended it.
    """
    recipe, transformer = run.job.recipe, run.denoiser.transformer
    trained = fit_new(transformer, recipe, FAMILIES[recipe.family].lora_targets)
    if recipe.gradient_checkpointing:
        transformer.enable_gradient_checkpointing()
    optimizer = _optimizer(trained, recipe)
    done = first = resume(run, optimizer)
    end = first if look(run, first) else recipe.steps
    began = time.monotonic()
    with (run.job.folder / "losses.jsonl").open("a", encoding="utf-8") as losses:
        for step in range(first, end):
            loss = _backward(run, step)
            nn.utils.clip_grad_norm_(trained, MAX_GRAD_NORM)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, step)
            optimizer.step()
            optimizer.zero_grad()

            done = step + 1
            losses.write(json.dumps({"step": done, "loss": loss}) + "\n")
            losses.flush()
            rate = (done - first) / (time.monotonic() - began)
            run.watcher.tell(
                "step",
                step=done,
                steps=recipe.steps,
                loss=loss,
                rate=rate,
                seconds_left=(recipe.steps - done) / rate,
            )
            stopping = run.watcher.stopping()
            if _is_kept(recipe, done) or stopping:
                save_state(run, done, optimizer)
            if stopping:
                raise Stopped
            if look(run, done):
                break
    return done


def _is_kept(recipe: Recipe, done: int) -> bool:
    """Also before samples, which take as long as many steps."""
    is_due = done % recipe.checkpoint_every == 0 or done == recipe.steps
    return is_due or is_sampled(recipe, done)


def learning_rate(recipe: Recipe, step: int) -> float:
    """A straight warm-up, a plateau, a straight fall. `step` counts from 0."""
    rise = (step + 1) / (recipe.warmup_steps + 1)
    fall = (recipe.steps - step) / (recipe.decay * recipe.steps) if recipe.decay else 1.0
    return recipe.learning_rate * min(1.0, rise, fall)


def _backward(run: Run, step: int) -> float:
    """Add the gradients of the batch of `step`; returns its loss. Raises EngineError on NaN."""
    picks = flow.picks(run.job.recipe, [example.weight for example in run.job.examples], step)
    alike: dict[tuple[torch.Size, ...], list[flow.Pick]] = defaultdict(list)
    for pick in picks:
        alike[_shapes(run.examples[pick.example])].append(pick)
    loss = 0.0
    for group in alike.values():
        part = _loss(run, group)
        part.backward()
        loss += part.item()
    if not math.isfinite(loss):
        names = ", ".join(run.job.examples[pick.example].id for pick in picks)
        raise EngineError(
            f"The loss stopped being a number at step {step + 1}, on {names}. "
            "Look at these pictures, or train again with a lower learning rate."
        )
    return loss


def _loss(run: Run, group: list[flow.Pick]) -> Tensor:
    """Mean squared error of the velocity, as this group's share of its batch."""
    device, dtype = run.denoiser.transformer.device, number_format(run.denoiser.transformer.device)
    batch = [_words_or_none(run.examples[pick.example], pick.wordless) for pick in group]
    clean = torch.stack([_target(item) for item in batch]).float()
    noise = torch.stack([flow.noise(clean.shape[1:], pick.noise_seed) for pick in group])
    sigma = torch.tensor([pick.sigma for pick in group])
    noisy = flow.noisy(clean, noise, sigma)
    predicted = run.denoiser.velocity(noisy.to(device, dtype), sigma.to(device, dtype), batch)
    wanted = flow.pack(noise - clean).to(device)
    errors = (predicted.float() - wanted).square().mean(dim=(1, 2))
    return errors.sum() / run.job.recipe.batch_size


def _target(item: Encoded) -> Tensor:
    assert item.target is not None, "examples are encoded with their picture"
    return item.target


def _words_or_none(item: Encoded, wordless: bool) -> Encoded:
    return replace(item, words=item.wordless) if wordless else item


def _shapes(item: Encoded) -> tuple[torch.Size, ...]:
    return (_target(item).shape, *(control.shape for control in item.controls))


def _optimizer(trained: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    kind: type[torch.optim.Optimizer] = AdamW8bit if trained[0].is_cuda else torch.optim.AdamW
    settings: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    return kind(trained, **settings)
