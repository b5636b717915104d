"""Teaches the eyes: one loop, three losses, and what spoils the pictures on the way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from paperdolls.eyes_album import CROP, QUESTIONS, SIZE, Album, Group, Pixels, face_crops, group
from paperdolls.eyes_nets import ANCHORS, STRIDES, Detector, Embedder, Reader
from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.people import TRAITS

SCALE, MARGIN = 20.0, 0.15
"""Of CosFace (Wang et al. 2018): sharpness of the softmax, and the cosine others must stay away."""

PLAIN = ("skin", "hair", "style")
"""Traits that every picture shows."""

Loss = Callable[[NDArray[np.int64]], Tensor]
"""Takes the indices of a batch's drawings."""


@dataclass(frozen=True)
class Lesson:
    """How many of an album's drawings one network is shown, repeats counted."""

    samples: int
    seed: int
    batch: int = 64
    rate: float = 3e-3

    @property
    def schedule(self) -> Schedule:
        steps = max(1, self.samples // self.batch)
        return Schedule(steps, self.rate, warm_up=steps // 10 + 1, decay=0.7, weight_decay=0.02)


def learn(network: nn.Module, loss_of: Loss, count: int, lesson: Lesson, kept: Path) -> float:
    """Fit on random batches out of `count` drawings, going on from `kept`; returns the loss."""

    def loss_at(step: int) -> Tensor:
        torch.manual_seed(lesson.seed * 1_000_003 + step)
        batch = np.random.default_rng((lesson.seed, step)).integers(count, size=lesson.batch)
        with mixed_precision():
            return loss_of(batch)

    return fit(network.to(device()).train(), loss_at, lesson.schedule, kept)


def reader_loss(reader: Reader, album: Album, seed: int) -> Loss:
    answers = {name: torch.from_numpy(album.answers[name]) for name in QUESTIONS}
    disturbed = Disturbance(SIZE, seed)

    def loss_of(batch: NDArray[np.int64]) -> Tensor:
        logits = reader(disturbed(tensor(album.pictures[batch])))
        losses = [
            functional.cross_entropy(said.float(), answers[name][batch].to(device()))
            for name, said in zip(QUESTIONS, logits, strict=True)
        ]
        return torch.stack(losses).sum()

    return loss_of


class Recognition(nn.Module):
    """An embedder with one direction per person it learns from, and a reading of their traits."""

    def __init__(self, people: int) -> None:
        super().__init__()
        self.embedder = Embedder()
        size = self.embedder.norm.num_features
        self.people = nn.Parameter(torch.randn(people, size))
        self.traits = nn.ModuleDict({name: nn.Linear(size, len(TRAITS[name])) for name in PLAIN})

    def forward(self, crops: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Cosine with every person, (n, people), and the logits of each plain trait."""
        embedded = self.embedder(crops)
        traits = {name: head(embedded) for name, head in self.traits.items()}
        with torch.autocast(crops.device.type, enabled=False):
            cosine = functional.normalize(embedded.float()) @ functional.normalize(self.people).T
        return cosine, traits


def recognition_loss(network: Recognition, album: Album, seed: int) -> Loss:
    """Who it is; that a trait seen from everywhere can be told as well halves the way there."""
    crops = face_crops(album, seed)
    people = torch.from_numpy(album.people)
    answers = {name: torch.from_numpy(album.answers[name]) for name in PLAIN}
    disturbed = Disturbance(CROP, seed)

    def loss_of(batch: NDArray[np.int64]) -> Tensor:
        who = people[batch].to(device())
        cosine, traits = network(disturbed(tensor(crops[batch])) * 2 - 1)
        margin = MARGIN * functional.one_hot(who, cosine.shape[1])
        loss = functional.cross_entropy(SCALE * (cosine - margin), who)
        for name, said in traits.items():
            loss = loss + functional.cross_entropy(said.float(), answers[name][batch].to(device()))
        return loss

    return loss_of


def detector_loss(detector: Detector, album: Album) -> Loss:
    def loss_of(batch: NDArray[np.int64]) -> Tensor:
        rng = np.random.default_rng(batch)
        groups = [group(album, rng) for _ in batch]
        pictures = tensor(np.stack([one.picture for one in groups]))
        pictures = tinted(pictures) * (255 / 128) - 127.5 / 128
        scores, boxes, points = (torch.cat(said, 1).float() for said in detector.raw(pictures))
        aim = targets(groups, pictures.shape[-1])
        wanted, box_aim, point_aim, size = (torch.from_numpy(part).to(device()) for part in aim)
        hit = wanted > 0
        found = functional.binary_cross_entropy_with_logits(scores[..., 0], wanted, reduction="sum")
        off = (boxes[hit] - box_aim[hit]).abs().mean(1) / size[hit]
        astray = (points[hit] - point_aim[hit]).abs().mean(1) / size[hit]
        return found / hit.sum() + 10 * off.mean() + 20 * astray.mean()

    return loss_of


Targets = tuple[NDArray[np.float32], ...]


def targets(groups: list[Group], side: int) -> Targets:
    """Per place: face or not, box distances, key point offsets, face size; in strides."""
    places, strides = anchors(side)
    found = np.zeros((len(groups), len(places)), np.float32)
    boxes = np.zeros((*found.shape, 4), np.float32)
    points = np.zeros((*found.shape, 10), np.float32)
    size = np.ones_like(found)
    for row, one in enumerate(groups):
        for box, keypoints in zip(one.boxes, one.keypoints, strict=True):
            hit = responsible(box, places, strides)
            per_stride = strides[hit, None]
            ends = np.concatenate([places[hit] - box[:2], box[2:] - places[hit]], axis=1)
            offsets = np.tile(keypoints.reshape(1, 10), (len(ends), 1)) - np.tile(places[hit], 5)
            found[row, hit] = 1
            boxes[row, hit] = ends / per_stride
            points[row, hit] = offsets / per_stride
            size[row, hit] = (box[2:] - box[:2]).max() / strides[hit]
    return found, boxes, points, size


def anchors(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every anchor's place (n, 2), px, and stride (n,), in the order of the outputs."""
    places, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: side // stride, : side // stride]
        centres = np.stack([columns, rows], -1).reshape(-1, 2) * stride
        places.append(np.repeat(centres, ANCHORS, axis=0))
        strides.append(np.full(len(places[-1]), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(strides).astype(np.float32)


def responsible(
    box: NDArray[np.float32], places: NDArray[np.float32], strides: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """The anchors in the middle of a face, on the level made for its size."""
    size = float((box[2:] - box[:2]).max())
    level = strides == (8 if size < 28 else 16 if size < 72 else 32)
    away = np.linalg.norm(places - (box[:2] + box[2:]) / 2, axis=1)
    nearest = away[level].min() + 1e-3
    return np.asarray(level & (away <= max(0.2 * size, nearest)))


def tensor(pictures: Pixels) -> Tensor:
    """(n, h, w, 3) bytes -> (n, 3, h, w) in [0, 1]."""
    return torch.from_numpy(pictures).to(device()).permute(0, 3, 1, 2).float() / 255


class Disturbance:
    """Shifts, scales, tilts and warps a little, blurs half of a batch, tints, adds noise."""

    def __init__(self, side: int, seed: int, choices: int = 512) -> None:
        generator = torch.Generator().manual_seed(seed)
        turns = torch.eye(2, 3) + 0.03 * torch.randn(choices, 2, 3, generator=generator)
        grids = functional.affine_grid(turns, [choices, 3, side, side], align_corners=False)
        bends = 0.008 * torch.randn(choices, 2, 6, 6, generator=generator)
        bends = functional.interpolate(bends, size=(side, side), mode="bilinear")
        self._grids = grids + bends.permute(0, 2, 3, 1)

    def __call__(self, x: Tensor) -> Tensor:
        grid = self._grids[torch.randint(len(self._grids), (len(x),))].to(x.device)
        x = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
        half = len(x) // 2
        x = torch.cat([softened(x[:half]), x[half:]])
        return tinted(x).contiguous(memory_format=torch.channels_last)


def softened(x: Tensor) -> Tensor:
    """Through a smaller size and back."""
    side = x.shape[-1]
    small = int(side * float(torch.empty(1).uniform_(0.45, 0.9)))
    x = functional.interpolate(x, size=(small, small), mode="area")
    return functional.interpolate(x, size=(side, side), mode="bilinear")


def tinted(x: Tensor) -> Tensor:
    n, side = len(x), x.shape[-1]
    gain = 1 + 0.04 * torch.randn(n, 3, 1, 1, device=x.device)
    bias = 0.02 * torch.randn(n, 3, 1, 1, device=x.device)
    coarse = 0.02 * torch.randn(n, 3, side // 8, side // 8, device=x.device)
    noise = functional.interpolate(coarse, size=(side, side), mode="bilinear")
    noise = noise + 0.02 * torch.randn(n, 1, side, side, device=x.device)
    return (x * gain + bias + noise).clamp(0, 1)
