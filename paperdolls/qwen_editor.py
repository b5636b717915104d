"""Trains the tiny Qwen-Image-Edit transformer on edits of drawings.

Knows nothing of packs on disk. Resumable: `train_editor` goes on where its checkpoint is.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import QwenImageEditPlusPipeline, QwenImageTransformer2DModel
from torch import Tensor, nn

from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.muon import Muon
from paperdolls.qwen_edits import WITHHELD, Edits, random_edit
from paperdolls.qwen_pack import LATENT_CHANNELS, build_transformer
from paperdolls.qwen_text import Reader

SCHEDULE = Schedule(steps=22_400, rate=3e-3, decay=0.35, average=0.998, save_every=200)
LAST = Schedule(steps=1_000, rate=1.5e-3, warm_up=50, decay=0.7, average=0.998, save_every=200)
"""Without any drawing of what is withheld, so that the little that was seen of it fades."""
BATCH = 32
DROPPED = 0.1
"""The share of instructions left blank, so that guidance has something to lead away from."""
BLANK = " "
FACE = 2.5
"""How much more the face weighs in the loss."""
SHIFT = 0.4
"""Mean of the normal distribution whose sigmoid is the noise level: the pipeline's own mean."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Edits whose instructions are equally long, so that nothing needs a mask."""

    sources: Tensor
    """Latents (n, 16, 12, 12), as the targets."""
    targets: Tensor
    weights: Tensor
    """Of the loss, (n, 1, 12, 12)."""
    words: Tensor
    """(n, length, WIDTH)"""


def batches(edits: Edits, reader: Reader, size: int, seed: str) -> Iterator[Batch]:
    """Random edits for ever, gathered by the length of their instructions."""
    rng, waiting = random.Random(seed), defaultdict[int, list[tuple[int, int, int, str]]](list)
    while True:
        row = rng.randrange(len(edits.sets))
        edit = random_edit(edits.sets[row], rng)
        text = BLANK if rng.random() < DROPPED else edit.request.text
        same = waiting[len(reader(text))]
        same.append((row, edit.source, edit.target, text))
        if len(same) == size:
            yield _gathered(edits, reader, same)
            same.clear()


def _gathered(edits: Edits, reader: Reader, rows: list[tuple[int, int, int, str]]) -> Batch:
    places = torch.tensor([row[:3] for row in rows])
    sets, source, target = places.unbind(1)
    return Batch(
        sources=edits.latents[sets, source].float().to(device()),
        targets=edits.latents[sets, target].float().to(device()),
        weights=edits.weights(sets, target, FACE).to(device()),
        words=torch.stack([reader(row[3]) for row in rows]),
    )


def pack(latents: Tensor) -> Tensor:
    """(n, c, h, w) to the tokens (n, h/2 * w/2, 4c) that the transformer sees."""
    n, channels, height, width = latents.shape
    return QwenImageEditPlusPipeline._pack_latents(latents, n, channels, height, width)


def start_still(transformer: QwenImageTransformer2DModel) -> None:
    """Begin with every block passing on what it gets (adaLN-Zero, Peebles & Xie 2023)."""
    for block in transformer.transformer_blocks:
        for modulation in (block.img_mod[1], block.txt_mod[1]):
            nn.init.zeros_(modulation.weight)
            nn.init.zeros_(modulation.bias)
    nn.init.zeros_(transformer.proj_out.weight)
    nn.init.zeros_(transformer.proj_out.bias)


def flow_loss(
    transformer: QwenImageTransformer2DModel, batch: Batch, generator: torch.Generator
) -> Tensor:
    """Weighted error of the velocity from target to noise, at logit-normal noise levels."""
    noise = torch.randn(batch.targets.shape, generator=generator).to(device())
    level = torch.sigmoid(torch.randn(len(noise), generator=generator) + SHIFT).to(device())
    at = level[:, None, None, None]
    noisy = pack((1 - at) * batch.targets + at * noise)
    side = batch.targets.shape[-1] // 2
    with mixed_precision():
        velocity = transformer(
            hidden_states=torch.cat([noisy, pack(batch.sources)], dim=1),
            timestep=level,
            encoder_hidden_states=batch.words,
            img_shapes=[[(1, side, side), (1, side, side)]] * len(noise),
            return_dict=False,
        )[0]
    weights = batch.weights / batch.weights.mean()
    error = (velocity[:, : noisy.shape[1]].float() - pack(noise - batch.targets)) ** 2
    return (error * pack(weights.expand(-1, LATENT_CHANNELS, -1, -1))).mean()


def train_editor(
    edits: Edits, reader: Reader, checkpoint: Path, schedule: Schedule = SCHEDULE, seed: int = 0
) -> tuple[QwenImageTransformer2DModel, float]:
    """The trained transformer and its recent loss."""
    torch.manual_seed(seed)
    transformer = build_transformer().to(device())
    start_still(transformer)
    learn(transformer, edits, reader, (schedule, checkpoint), seed)
    last = LAST, checkpoint.with_stem(f"{checkpoint.stem}-last")
    return transformer, learn(transformer, edits.without(WITHHELD), reader, last, seed)


def learn(
    transformer: QwenImageTransformer2DModel,
    edits: Edits,
    reader: Reader,
    course: tuple[Schedule, Path],
    seed: int,
) -> float:
    """Train as far as the schedule says, going on from the checkpoint; the recent loss."""
    schedule, checkpoint = course
    source: Iterator[Batch] | None = None

    def loss_at(step: int) -> Tensor:
        nonlocal source
        # The stream begins anew where training is taken up, not where it was broken off.
        source = source or batches(edits, reader, BATCH, f"{checkpoint.stem} {seed} {step}")
        generator = torch.Generator().manual_seed(step)
        return flow_loss(transformer, next(source), generator)

    optimizer = Muon(transformer, transformer.transformer_blocks, schedule.rate)
    return fit(transformer, loss_at, schedule, checkpoint, optimizer)
