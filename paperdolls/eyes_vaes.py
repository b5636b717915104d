"""Sends drawings through the packs' autoencoders, as everything a model makes has been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderKLQwenImage
from torch import Tensor

from paperdolls.eyes_album import Pixels
from paperdolls.qwen_vae import still

RoundTrip = Callable[[Tensor], Tensor]
"""(n, 3, h, w) in [-1, 1] -> the same, decoded from its latents."""

BATCH = 32


def flux_vae(folder: Path) -> RoundTrip:
    vae = AutoencoderKL.from_pretrained(folder, dtype=torch.float32).eval()

    def through(x: Tensor) -> Tensor:
        decoded: Tensor = vae.decode(vae.encode(x).latent_dist.mode()).sample
        return decoded

    return through


def qwen_vae(folder: Path) -> RoundTrip:
    vae = still(AutoencoderKLQwenImage.from_pretrained(folder, dtype=torch.float32).eval())

    def through(x: Tensor) -> Tensor:
        decoded: Tensor = vae.decode(vae.encode(x[:, :, None]).latent_dist.mode()).sample
        return decoded[:, :, 0]

    return through


def vaes(packs: Path) -> dict[str, RoundTrip]:
    """By pack, those that are built already."""
    known = {"flux": flux_vae, "qwen-edit": qwen_vae}
    folders = {name: packs / name / "vae" for name in known}
    return {
        name: known[name](folder)
        for name, folder in folders.items()
        if (folder / "config.json").is_file()
    }


@torch.no_grad()
def sent(pictures: Pixels, through: RoundTrip) -> Pixels:
    """(n, h, w, 3) -> the same, after the round trip."""
    decoded = []
    for start in range(0, len(pictures), BATCH):
        x = torch.from_numpy(pictures[start : start + BATCH]).permute(0, 3, 1, 2).float()
        y = through(x / 127.5 - 1).clamp(-1, 1)
        decoded.append(((y + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(decoded)


def spread(pictures: Pixels, trips: dict[str, RoundTrip]) -> Pixels:
    """Most pictures through the autoencoders in turn; as many as each gets stay as they are."""
    mixed = pictures.copy()
    for turn, through in enumerate(trips.values(), start=1):
        mixed[turn :: len(trips) + 1] = sent(pictures[turn :: len(trips) + 1], through)
    return mixed
