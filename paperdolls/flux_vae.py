"""Trains the FLUX pack's autoencoder: 96 x 96 pixels to 12 x 12 latents of 16 channels and back.

Crops at first, because they are cheap; whole pictures at the end. Knows nothing of prompts.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.world import Identity, Scene, Truth, compose, training_identities

SIZE = 96
CROP = 48
KL_WEIGHT = 1e-3
FACE_WEIGHT = 2.0
DETAIL_WEIGHT = 4.0
"""Flat areas are learnt soon; what tells people apart is thin lines and small marks."""
WHOLE = 0.1
"""The last share of the steps, which sees whole pictures."""
SCHEDULE = Schedule(steps=6500, rate=2e-3)
CROPS_A_BATCH = 16
WHOLES_A_BATCH = 6
POLISH = Schedule(steps=850, rate=1e-3, warm_up=50, decay=0.8)
POLISH_NOISE = 0.06
"""Standard deviation, in raw latents, of what the decoder learns to see through; theirs is 0.66.
What a transformer draws is never quite what an encoder would have said."""
PEOPLE, SEED = 4000, 11


def build_vae() -> AutoencoderKL:
    """FLUX's own layout: no quantisation convolutions, latents scaled and shifted."""
    widths = (16, 32, 48, 48)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=4,
        sample_size=SIZE,
        mid_block_add_attention=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=1.0,
        shift_factor=0.0,
    )


def pixels_of(image: object) -> torch.Tensor:
    """A picture as 3 x height x width in [-1, 1]."""
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 127.5 - 1


def _weights(pixels: torch.Tensor, facts: Truth) -> torch.Tensor:
    """Weights of mean about 1, higher where there is detail and in the face: 1 x SIZE x SIZE."""
    x0, y0, x1, y1 = (round(edge) for edge in facts.box)
    smooth = torch.nn.functional.avg_pool2d(pixels[None], 5, 1, 2, count_include_pad=False)[0]
    weights = 0.5 + DETAIL_WEIGHT * (pixels - smooth).abs().amax(dim=0, keepdim=True)
    weights[:, max(0, y0) : y1, max(0, x0) : x1] *= FACE_WEIGHT
    return weights


def _corner(facts: Truth, rng: random.Random) -> tuple[int, int]:
    """Half of all crops lie round a point of the face, the others anywhere."""
    if rng.random() < 0.5:
        return rng.randint(0, SIZE - CROP), rng.randint(0, SIZE - CROP)
    x, y = rng.uniform(*facts.box[::2]), rng.uniform(*facts.box[1::2])
    return tuple(min(SIZE - CROP, max(0, round(v - CROP / 2))) for v in (x, y))  # type: ignore[return-value]


def draw_batch(
    people: list[Identity], rng: random.Random, whole: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (or crops) and the weight of each pixel."""
    pictures, weights = [], []
    for _ in range(WHOLES_A_BATCH if whole else CROPS_A_BATCH):
        image, facts = compose(rng.choice(people), Scene.random(rng), SIZE, rng)
        x, y = (0, 0) if whole else _corner(facts, rng)
        span = SIZE if whole else CROP
        window = (slice(None), slice(y, y + span), slice(x, x + span))
        picture = pixels_of(image)
        pictures.append(picture[window])
        weights.append(_weights(picture, facts)[window])
    return torch.stack(pictures).to(device()), torch.stack(weights).to(device())


def train_vae(work: Path, schedule: Schedule = SCHEDULE) -> tuple[AutoencoderKL, float]:
    """Train, or go on, in `work`; returns the autoencoder, its latents' scale measured."""
    torch.manual_seed(SEED)
    vae = build_vae().to(device())
    people = training_identities(PEOPLE, SEED)

    def loss_at(step: int) -> torch.Tensor:
        rng = random.Random(f"vae {SEED} {step}")
        pictures, weights = draw_batch(people, rng, step >= (1 - WHOLE) * schedule.steps)
        with mixed_precision():
            spread = vae.encode(pictures).latent_dist
            back = vae.decode(spread.sample()).sample
        far = ((back.float() - pictures).abs() * weights).mean()
        return far + KL_WEIGHT * spread.kl().mean() / spread.mean[0].numel()

    fit(vae, loss_at, schedule, work / "flux-vae.safetensors")
    measure_scale(vae, people)
    return vae, polish_decoder(vae, people, work)


def polish_decoder(vae: AutoencoderKL, people: list[Identity], work: Path) -> float:
    """Train the decoder alone, on whole pictures and rougher latents; latents stay as they are."""

    def loss_at(step: int) -> torch.Tensor:
        rng = random.Random(f"polish {SEED} {step}")
        pictures, weights = draw_batch(people, rng, whole=True)
        with mixed_precision():
            with torch.no_grad():
                latents = vae.encode(pictures).latent_dist.sample()
            rough = latents + torch.randn_like(latents) * (POLISH_NOISE * rng.random())
            back = vae.decode(rough).sample
        return ((back.float() - pictures).abs() * weights).mean()

    return fit(vae.decoder, loss_at, POLISH, work / "flux-decoder.safetensors")


@torch.no_grad()
def measure_scale(vae: AutoencoderKL, people: list[Identity]) -> None:
    """Set the factors by which the pipeline makes latents zero-mean and of unit variance."""
    rng = random.Random(SEED)
    means = []
    for _ in range(40):
        pictures, _ = draw_batch(people, rng, whole=True)
        means.append(vae.encode(pictures).latent_dist.mean.cpu())
    latents = torch.cat(means)
    vae.register_to_config(
        scaling_factor=float(1 / latents.std()), shift_factor=float(latents.mean())
    )
