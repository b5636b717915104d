"""Trains the FLUX pack's transformer to draw strangers as captions ask, by flow matching.

Knows latents and words; knows nothing of pixels and files of a pack.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel

from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.flux_album import Album
from paperdolls.flux_text import CLIP_WIDTH, T5_TOKENS, T5_WIDTH, Words, random_caption
from paperdolls.muon import Muon

SIDE = 6
"""Tokens along a side of the picture."""
SCHEDULE = Schedule(steps=6500, rate=2e-3, decay=0.35, average=0.998)
BATCH = 48
UNPROMPTED = 0.1
"""The share of pictures drawn without a prompt, so that classifier-free guidance works."""
GUIDANCE = (1.0, 4.0)
"""Any value the embedding may be given; it says nothing in this training."""
SEED = 14


def build_transformer() -> FluxTransformer2DModel:
    """FLUX.1-dev's class with the guidance embedding, 1 double and 5 single blocks 128 wide."""
    return FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=5,
        attention_head_dim=32,
        num_attention_heads=4,
        joint_attention_dim=T5_WIDTH,
        pooled_projection_dim=CLIP_WIDTH,
        guidance_embeds=True,
        axes_dims_rope=(4, 14, 14),
    )


def picture_ids() -> torch.Tensor:
    """Row and column of each token, as the pipeline numbers them."""
    ids = torch.zeros(SIDE, SIDE, 3)
    ids[..., 1] += torch.arange(SIDE)[:, None]
    ids[..., 2] += torch.arange(SIDE)[None, :]
    return ids.reshape(-1, 3).to(device())


def train_transformer(
    work: Path, album: Album, words: Words, schedule: Schedule = SCHEDULE
) -> tuple[FluxTransformer2DModel, float]:
    """Train, or go on, in `work`; returns the transformer and its recent weighted loss."""
    torch.manual_seed(SEED)
    transformer = build_transformer().to(device())
    ids, text_ids = picture_ids(), torch.zeros(T5_TOKENS, 3, device=device())

    def loss_at(step: int) -> torch.Tensor:
        rng, noise_rng = random.Random(f"flux {SEED} {step}"), torch.Generator().manual_seed(step)
        chosen = [rng.randrange(len(album)) for _ in range(BATCH)]
        prompts = [
            "" if rng.random() < UNPROMPTED else random_caption(album.scenes[i], rng)[0]
            for i in chosen
        ]
        with torch.no_grad():
            states, pooled = words(prompts)
        clean = album.latents[chosen].float()
        noise = torch.randn(clean.shape, generator=noise_rng).to(device())
        sigma = torch.randn(BATCH, generator=noise_rng).sigmoid().to(device())
        guidance = torch.empty(BATCH).uniform_(*GUIDANCE, generator=noise_rng).to(device())
        mixed = clean.lerp(noise, sigma[:, None, None])
        with mixed_precision():
            flow = transformer(
                hidden_states=mixed,
                timestep=sigma,
                guidance=guidance,
                encoder_hidden_states=states,
                pooled_projections=pooled,
                img_ids=ids,
                txt_ids=text_ids,
            ).sample
        far = (flow.float() - (noise - clean)).square().mean(dim=-1)
        return (far * album.weights[chosen]).mean()

    blocks = torch.nn.ModuleList(
        [transformer.transformer_blocks, transformer.single_transformer_blocks]
    )
    optimizer = Muon(transformer, blocks, schedule.rate)
    loss = fit(transformer, loss_at, schedule, work / "flux-transformer.safetensors", optimizer)
    return transformer, loss
