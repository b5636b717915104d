"""Drawings as latents with the facts that captions are made of, encoded once and kept on disk.

Every picture is a function of the album's seed and its own number. Knows no transformer.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxPipeline
from safetensors import safe_open
from safetensors.torch import save_file

from paperdolls.fitting import device, mixed_precision
from paperdolls.flux_vae import SIZE, pixels_of
from paperdolls.world import Identity, Scene, Truth, compose, training_identities

log = logging.getLogger(__name__)

SEED = 13
PEOPLE = 8000
BATCH = 50
TOKEN = 16
"""Pixels along the side of what one token of the transformer covers."""
FACE_WEIGHT = 2.5


@dataclass(frozen=True, slots=True)
class Album:
    """Scenes, their packed latents (count x 36 x 64, half precision) and their tokens' weights."""

    scenes: list[Scene]
    latents: torch.Tensor
    weights: torch.Tensor

    def __len__(self) -> int:
        return len(self.scenes)


def picture_facts(number: int, people: list[Identity]) -> tuple[Identity, Scene, random.Random]:
    """Who and what the picture of this number shows, and the jitter it is drawn with."""
    rng = random.Random(f"album {SEED} {number}")
    return rng.choice(people), Scene.random(rng), rng


def pack_latents(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """Encode, normalise and pack pictures exactly as the pipeline unpacks them."""
    with mixed_precision():
        latents = vae.encode(pixels).latent_dist.sample().float()
    latents = (latents - vae.config.shift_factor) * vae.config.scaling_factor
    return FluxPipeline._pack_latents(latents, *latents.shape)


def token_weights(facts: Truth) -> torch.Tensor:
    """How much each token counts: FACE_WEIGHT where the face is, 1 elsewhere; of mean 1."""
    side = SIZE // TOKEN
    weights = torch.ones(side, side)
    x0, y0, x1, y1 = facts.box
    for row in range(side):
        for column in range(side):
            wide = min(x1, (column + 1) * TOKEN) - max(x0, column * TOKEN)
            high = min(y1, (row + 1) * TOKEN) - max(y0, row * TOKEN)
            covered = max(0.0, wide) * max(0.0, high) / TOKEN**2
            weights[row, column] += (FACE_WEIGHT - 1) * covered
    return (weights / weights.mean()).flatten()


@torch.no_grad()
def load_album(work: Path, vae: AutoencoderKL, count: int) -> Album:
    """Take the album up from `work`, drawing and encoding what is missing of `count` pictures."""
    path, people = work / "flux-album.safetensors", training_identities(PEOPLE, SEED)
    if not path.exists() or _stored(path) < count:
        latents, weights = _encode(vae, people, count)
        save_file({"latents": latents, "weights": weights}, path)
    with safe_open(path, framework="pt") as file:
        latents, weights = file.get_tensor("latents")[:count], file.get_tensor("weights")[:count]
    scenes = [picture_facts(number, people)[1] for number in range(count)]
    return Album(scenes, latents.to(device()), weights.to(device()))


def _stored(path: Path) -> int:
    with safe_open(path, framework="pt") as file:
        return int(file.get_slice("latents").get_shape()[0])


def _encode(
    vae: AutoencoderKL, people: list[Identity], count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(SEED)
    latents, weights = [], []
    for first in range(0, count, BATCH):
        drawn = [
            compose(person, scene, SIZE, rng)
            for person, scene, rng in (
                picture_facts(number, people) for number in range(first, min(count, first + BATCH))
            )
        ]
        pixels = torch.stack([pixels_of(image) for image, _ in drawn]).to(device())
        latents.append(pack_latents(vae, pixels).half().cpu())
        weights.append(torch.stack([token_weights(facts) for _, facts in drawn]))
        if first % 5000 == 0:
            log.info("encoded %d of %d pictures", first, count)
    return torch.cat(latents), torch.cat(weights)
