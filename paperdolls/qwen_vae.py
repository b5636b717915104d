"""Trains the tiny picture autoencoder of the Qwen-Image-Edit pack on drawings.

Knows nothing of edits. Resumable: `train_vae` goes on where its checkpoint is.
"""

from __future__ import annotations

import random
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLQwenImage
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import QwenImageCausalConv3d
from torch import Tensor

from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.muon import Muon
from paperdolls.qwen_pack import SIZE, build_vae
from paperdolls.world import Scene, compose, training_identities

SCHEDULE = Schedule(steps=4400, rate=3e-3, weight_decay=0.0, average=0.99, save_every=100)
BATCH = 16
PICTURES = 6000
CROP = 48
"""Pixels a side: most steps see crops, four times as many for the same time."""
WHOLE = 0.15
"""The last share of the steps sees whole pictures, with a quarter of the batch."""
KL = 1e-3
FACE = 4.0
"""How much more a pixel of the face weighs in the loss."""


def still(vae: AutoencoderKLQwenImage) -> AutoencoderKLQwenImage:
    """Make every causal convolution see one frame only, which is all an edit ever has.

    Before the first frame comes nothing but zeros, so that a kernel's last slice in time is all
    that counts: a plain 2-D convolution, about three times as fast, gives the same result. The
    other slices are set to 0: they get no gradient and pack well.
    """
    for module in vae.modules():
        if isinstance(module, QwenImageCausalConv3d):
            with torch.no_grad():
                module.weight[:, :, :-1] = 0
            module.forward = types.MethodType(_one_frame, module)
    return vae


def _one_frame(conv: QwenImageCausalConv3d, x: Tensor, _frames_before: None = None) -> Tensor:
    left, _, top, *_ = conv._padding
    weight = conv.weight[:, :, -1]
    return F.conv2d(x[:, :, 0], weight, conv.bias, conv.stride[1:], (top, left)).unsqueeze(2)


def encode(vae: AutoencoderKLQwenImage, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance of the raw latents (n, 16, 1, h/8, w/8) of pictures in -1..1."""
    moments = vae.quant_conv(vae.encoder(pictures.unsqueeze(2)))
    mean, log_variance = moments.chunk(2, dim=1)
    return mean, log_variance.clamp(-30, 20)


def decode(vae: AutoencoderKLQwenImage, latents: Tensor) -> Tensor:
    """Pictures (n, 3, h, w) in about -1..1 of raw latents."""
    return vae.decoder(vae.post_quant_conv(latents))[:, :, 0]


def drawings(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """`count` random drawings as uint8 (n, 3, 96, 96), and their face boxes (n, 4) in pixels."""
    rng = random.Random(seed)
    pictures = np.empty((count, SIZE, SIZE, 3), dtype=np.uint8)
    boxes = np.empty((count, 4), dtype=np.float32)
    for row, identity in enumerate(training_identities(count, seed)):
        picture, truth = compose(identity, Scene.random(rng), SIZE, rng)
        pictures[row], boxes[row] = np.asarray(picture), truth.box
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(boxes)


def to_signed(pictures: Tensor) -> Tensor:
    """uint8 0..255 to float -1..1, as the pipeline's image processor does."""
    return pictures.to(device()).float() / 127.5 - 1


def face_weights(boxes: Tensor, face: float, cells: int = SIZE) -> Tensor:
    """Loss weights (n, 1, cells, cells), mean about 1: `face` times as much inside the boxes."""
    at = (torch.arange(cells) + 0.5) * (SIZE / cells)
    x0, y0, x1, y1 = (edge[:, None] for edge in boxes.unbind(1))
    inside_x, inside_y = (at > x0) & (at < x1), (at > y0) & (at < y1)
    inside = inside_y[:, None, :, None] & inside_x[:, None, None, :]
    return 1 + (face - 1) * inside.float()


def _batch(pictures: Tensor, boxes: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Pictures in -1..1 and their weights for one step, the same whenever it is taken."""
    generator = torch.Generator().manual_seed(step)
    whole = step >= SCHEDULE.steps * (1 - WHOLE)
    count = BATCH // 4 if whole else BATCH
    rows = torch.randint(len(pictures), (count,), generator=generator)
    chosen, weights = pictures[rows], face_weights(boxes[rows], FACE)
    if not whole:
        corners = torch.randint((SIZE - CROP) // 8 + 1, (count, 2), generator=generator) * 8
        chosen, weights = _crop(chosen, corners), _crop(weights, corners)
    return to_signed(chosen), weights.to(device())


def _crop(pictures: Tensor, corners: Tensor) -> Tensor:
    cut = [p[:, y : y + CROP, x : x + CROP] for p, (x, y) in zip(pictures, corners, strict=True)]
    return torch.stack(cut)


def train_vae(checkpoint: Path, seed: int = 0) -> tuple[AutoencoderKLQwenImage, float]:
    """Train, or go on training; the finished autoencoder and its recent loss."""
    torch.manual_seed(seed)
    vae = still(build_vae()).to(device())
    pictures, boxes = drawings(PICTURES, seed)

    def loss_at(step: int) -> Tensor:
        batch, weights = _batch(pictures, boxes, step)
        with mixed_precision():
            mean, log_variance = encode(vae, batch)
            noise = torch.randn_like(mean)
            decoded = decode(vae, mean + noise * (log_variance / 2).exp())
        away = decoded.float() - batch
        # Absolute errors make edges sharp; squared ones bring the flat colours right much sooner.
        error = (weights * (away.abs() + away**2)).mean() / weights.mean()
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).float().mean()
        return error + KL * divergence

    # Adam takes thousands of steps longer to find the third colour axis.
    loss = fit(vae, loss_at, SCHEDULE, checkpoint, Muon(vae, vae, SCHEDULE.rate))
    normalize(vae, pictures[:512])
    return vae, loss


@torch.no_grad()
def normalize(vae: AutoencoderKLQwenImage, pictures: Tensor) -> None:
    """Write each latent channel's mean and spread on `pictures` into the configuration."""
    latents = torch.cat([encode(vae, to_signed(part))[0] for part in pictures.split(64)])
    vae.register_to_config(
        latents_mean=latents.mean((0, 2, 3, 4)).tolist(),
        latents_std=latents.std((0, 2, 3, 4)).tolist(),
    )
