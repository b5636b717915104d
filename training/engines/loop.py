"""Train a LoRA: cache, train, prove, save. One loop for every family.

Knows a Job and its folder, tells what happens through a callback, and leaves a file that
load_lora_weights reads.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from io import BytesIO
from typing import Any

import torch
from bitsandbytes.optim.adamw import AdamW8bit
from torch import Tensor, nn

from training.engines import flow
from training.engines.base import EngineError, Job, Recipe, Sample
from training.engines.checkpoint import (
    Checkpoint,
    flatten_optimizer,
    keep_lines,
    load_newest,
    restore_optimizer,
    save_checkpoint,
    write_atomically,
)
from training.engines.code_version import code_version
from training.engines.drawing import open_picture
from training.engines.encoding import Cache, Encoded, data_digest
from training.engines.families import FAMILIES, Denoiser
from training.engines.lora import fit_new, lora_file, put_weights, trained_weights
from training.engines.packs import Pack, number_format, open_pack, torch_device
from training.engines.proof import effect
from training.engines.watching import Stopped, Tell, Watcher

MAX_GRAD_NORM = 1.0
PROOFS = 2
ENCODING = 2
"""Counts up when the same pictures and words come to be encoded otherwise."""


@dataclass(frozen=True, slots=True)
class Run:
    """A job with everything loaded."""

    job: Job
    pack: Pack
    denoiser: Denoiser
    examples: list[Encoded]
    samples: list[tuple[Sample, Encoded]]
    identity: dict[str, Any]
    """What a checkpoint must agree on to be this run's."""
    watcher: Watcher


def train(job: Job, tell: Tell, stopping: Callable[[], bool]) -> None:
    """Carry out the job, or go on with it from its newest checkpoint.

    Tells `phase`, `step`, `checkpoint`, `sample`, `beat` and at last `done`. Raises EngineError, or
    Stopped within one step, of training or of denoising, after `stopping` becomes true.
    """
    if job.threads:
        torch.set_num_threads(job.threads)
    pack = _pack_at(job)
    watcher = Watcher(tell, stopping)
    tell("phase", name="cache")
    cache = _cache(job, pack, watcher)
    examples = [cache.example(example) for example in job.examples]
    samples = [(sample, cache.sample(sample)) for sample in job.samples]
    proofs = [(sample, cache.sample(sample)) for sample in _proofs(job)]
    del cache
    _free_memory()
    tell("phase", name="train")
    denoiser = FAMILIES[pack.family].denoiser(pack, torch_device(job.device), job.recipe.quantize)
    run = Run(job, pack, denoiser, examples, samples, _identity(job, pack), watcher)
    fit(run)
    tell("phase", name="proof")
    proven = effect(denoiser, proofs, watcher.beat)
    _save(run, proven)


def fit(run: Run) -> None:
    """Fit a LoRA to the examples, from the newest checkpoint on where there is one."""
    recipe, transformer = run.job.recipe, run.denoiser.transformer
    trained = fit_new(transformer, recipe, FAMILIES[recipe.family].lora_targets)
    if recipe.gradient_checkpointing:
        transformer.enable_gradient_checkpointing()
    optimizer = _optimizer(trained, recipe)
    first = _resume(run, optimizer)
    if first and _is_sampled(recipe, first):
        _draw_samples(run, first)
    began = time.monotonic()
    with (run.job.folder / "losses.jsonl").open("a", encoding="utf-8") as losses:
        for step in range(first, recipe.steps):
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
                _checkpoint(run, done, optimizer)
            if stopping:
                raise Stopped
            if _is_sampled(recipe, done):
                _draw_samples(run, done)


def _is_sampled(recipe: Recipe, done: int) -> bool:
    return recipe.sample_every > 0 and (done % recipe.sample_every == 0 or done == recipe.steps)


def _is_kept(recipe: Recipe, done: int) -> bool:
    """Also before samples, which take as long as many steps."""
    is_due = done % recipe.checkpoint_every == 0 or done == recipe.steps
    return is_due or _is_sampled(recipe, done)


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


def _resume(run: Run, optimizer: torch.optim.Optimizer) -> int:
    """Put back the newest checkpoint; returns how many steps are done."""
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


def _checkpoint(run: Run, step: int, optimizer: torch.optim.Optimizer) -> None:
    tensors, numbers = flatten_optimizer(optimizer)
    facts = {"identity": run.identity, "numbers": numbers}
    weights = trained_weights(run.denoiser.transformer)
    folder = run.job.folder / "checkpoints"
    save_checkpoint(folder, Checkpoint(step, weights, tensors, facts))
    run.watcher.tell("checkpoint", step=step)


def _draw_samples(run: Run, step: int) -> None:
    """Draw those of the step's samples that are not there yet."""
    folder = run.job.folder / "samples"
    folder.mkdir(exist_ok=True)
    for index, (sample, words) in enumerate(run.samples):
        path = folder / f"step-{step:04d}-{index}.png"
        if path.exists():
            continue
        images = [open_picture(path) for path in sample.controls]
        drawn, file = run.denoiser.draw(words, images, sample.seed, run.watcher.beat), BytesIO()
        drawn.save(file, "PNG")
        write_atomically(path, file.getvalue())
        run.watcher.tell("sample", step=step, index=index, file=str(path))


def _save(run: Run, proven: float) -> None:
    """Write recipe.json and lora.safetensors, the latter last: where it lies, all is done."""
    recipe = json.dumps(asdict(run.job.recipe), sort_keys=True)
    facts = {
        "flenwheel.recipe": hashlib.sha256(recipe.encode()).hexdigest(),
        "flenwheel.base": run.pack.fingerprint,
        "flenwheel.data": run.identity["data"],
    }
    content = lora_file(run.denoiser.transformer, facts)
    packages = ("torch", "diffusers", "transformers", "peft", "bitsandbytes")
    made_by = {
        **run.identity,
        "base_title": run.pack.title,
        "effect": proven,
        "versions": {"flenwheel": code_version(), **{name: version(name) for name in packages}},
    }
    folder = run.job.folder
    write_atomically(folder / "recipe.json", json.dumps(made_by, indent=1).encode())
    write_atomically(folder / "lora.safetensors", content)
    digest = hashlib.sha256(content).hexdigest()
    run.watcher.tell("done", file=str(folder / "lora.safetensors"), sha256=digest, effect=proven)


def _identity(job: Job, pack: Pack) -> dict[str, Any]:
    return {"recipe": asdict(job.recipe), "base": pack.fingerprint, "data": data_digest(job)}


def _pack_at(job: Job) -> Pack:
    """The job's base, at the resolution the recipe asks for."""
    pack, side = open_pack(job.base), job.recipe.resolution
    if pack.family != job.recipe.family:
        raise EngineError(
            f"{pack.title} is a {pack.family} base and the recipe is for {job.recipe.family}. "
            "Choose a base of that family."
        )
    return replace(pack, size=side, vae_area=side * side) if side else pack


def _cache(job: Job, pack: Pack, watcher: Watcher) -> Cache:
    device, quantize = torch_device(job.device), job.recipe.quantize
    return Cache(
        folder=job.folder / "cache",
        space=f"{pack.fingerprint} {pack.size} {pack.vae_area} {device.type} {quantize} {ENCODING}",
        encoders=lambda: FAMILIES[pack.family].encoders(pack, device, quantize),
        checkpoint=watcher.beat,
    )


def _proofs(job: Job) -> list[Sample]:
    """The first samples; where there are too few, the first examples asked for in words."""
    seed = job.recipe.seed
    asked = [Sample(prompt=e.caption, seed=seed, controls=e.controls) for e in job.examples]
    return [*job.samples, *asked][:PROOFS]


def _free_memory() -> None:
    """Give back what the encoders held, which may be most of a GPU."""
    gc.collect()
    torch.cuda.empty_cache()
