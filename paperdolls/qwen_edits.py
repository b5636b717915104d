"""Sets of drawings of one person each, as latents, from which edits are taken to train on.

Every set holds some photo-like sources and some targets in the same clothes, mostly before the
same background. Knows nothing of the editor.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLQwenImage
from safetensors.torch import load_file, save_file
from torch import Tensor

from curation.shots import EXPRESSIONS, POSES, VIEWS, Shot
from paperdolls.fitting import device
from paperdolls.people import Identity, training_identities
from paperdolls.qwen_pack import SIZE
from paperdolls.qwen_vae import encode, face_weights, to_signed
from paperdolls.qwen_words import Request, request
from paperdolls.world import BACKGROUNDS, BODY_EXPRESSIONS, BODY_VIEWS, SHIRTS, Scene, compose

log = logging.getLogger(__name__)

WITHHELD = {"sad": 0.96}
"""The share of an expression's drawings that the editor never sees, so that it is weak there."""
SOURCES, TARGETS = 2, 5
SHARD = 250
"""Sets in a file."""
PORTRAIT_SOURCES, PORTRAIT_TARGETS = 0.85, 0.8
NEW_BACKGROUND = 0.12
VIEW_WEIGHTS = (2, 4, 6, 4, 2)
EXPRESSION_WEIGHTS = (6, 3, 1, 1)
"""Photos are mostly taken from the front, of a calm face; accepted edits from anywhere."""


@dataclass(frozen=True, slots=True)
class EditSet:
    """One person's scenes: the sources first, then the targets."""

    identity: Identity
    scenes: tuple[Scene, ...]

    @classmethod
    def of(cls, identity: Identity, rng: random.Random) -> EditSet:
        shirt, background = rng.choice(list(SHIRTS)), rng.choice(list(BACKGROUNDS))
        sources = [Scene(_source_shot(rng), shirt, background) for _ in range(SOURCES)]
        targets = [
            Scene(_target_shot(rng), shirt, _background(background, rng)) for _ in range(TARGETS)
        ]
        return cls(identity, (*sources, *targets))

    def draw(self, rng: random.Random) -> tuple[Tensor, Tensor]:
        """uint8 pictures (n, 3, 96, 96) and face boxes (n, 4). Only sources are jittered: what a
        target's framing should be cannot be told from the source."""
        drawn = [
            compose(self.identity, scene, SIZE, rng if place < SOURCES else None)
            for place, scene in enumerate(self.scenes)
        ]
        pictures = np.stack([np.asarray(picture) for picture, _ in drawn])
        boxes = torch.tensor([truth.box for _, truth in drawn])
        return torch.from_numpy(pictures).permute(0, 3, 1, 2), boxes


def _is_withheld(shot: Shot, rng: random.Random) -> bool:
    return rng.random() < WITHHELD.get(shot.expression, 0.0)


def _source_shot(rng: random.Random) -> Shot:
    while True:
        view = rng.choices(VIEWS, VIEW_WEIGHTS)[0]
        shot = Shot(view, rng.choices(EXPRESSIONS, EXPRESSION_WEIGHTS)[0])
        if rng.random() > PORTRAIT_SOURCES:
            shot = _body_shot(rng)
        if not _is_withheld(shot, rng):
            return shot


def _target_shot(rng: random.Random) -> Shot:
    while True:
        shot = Shot(rng.choice(VIEWS), rng.choice(EXPRESSIONS))
        if rng.random() > PORTRAIT_TARGETS:
            shot = _body_shot(rng)
        if not _is_withheld(shot, rng):
            return shot


def _body_shot(rng: random.Random) -> Shot:
    return Shot(rng.choice(BODY_VIEWS), rng.choice(BODY_EXPRESSIONS), rng.choice(POSES[1:]))


def _background(usual: str, rng: random.Random) -> str:
    return rng.choice(list(BACKGROUNDS)) if rng.random() < NEW_BACKGROUND else usual


@dataclass(frozen=True, slots=True)
class Edit:
    """Places of a source and a target in their set, and the words that lead there."""

    source: int
    target: int
    request: Request


def random_edit(edit_set: EditSet, rng: random.Random) -> Edit:
    source, target = rng.randrange(SOURCES), rng.randrange(SOURCES, SOURCES + TARGETS)
    return Edit(source, target, request(rng, edit_set.scenes[source], edit_set.scenes[target]))


@dataclass(frozen=True, slots=True)
class Edits:
    """Encoded sets. `latents` (sets, 7, 16, 12, 12) are normalized as the pipeline does it."""

    sets: list[EditSet]
    latents: Tensor
    boxes: Tensor

    def without(self, expressions: Iterable[str]) -> Edits:
        """Those sets in which nobody makes such a face."""
        unwanted = set(expressions)
        rows = [
            row
            for row, one in enumerate(self.sets)
            if unwanted.isdisjoint(scene.shot.expression for scene in one.scenes)
        ]
        return Edits([self.sets[row] for row in rows], self.latents[rows], self.boxes[rows])

    def weights(self, rows: Tensor, places: Tensor, face: float) -> Tensor:
        """Loss weights (n, 1, 12, 12) of the latents' cells."""
        return face_weights(self.boxes[rows, places], face, cells=self.latents.shape[-1])


def edit_sets(count: int, seed: int) -> list[EditSet]:
    """The same sets for the same seed; a longer list begins with the shorter one."""
    people = training_identities(count, seed)
    return [EditSet.of(p, random.Random(f"{seed} {p.code}")) for p in people]


def load_edits(folder: Path, count: int, seed: int, vae: AutoencoderKLQwenImage) -> Edits:
    """Draw and encode `count` sets (a multiple of SHARD); what `folder` holds is taken as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    sets, shards = edit_sets(count, seed), []
    for start in range(0, count, SHARD):
        path = folder / f"edits-{start}.safetensors"
        if not path.exists():
            save_file(_encoded(sets[start : start + SHARD], vae), path)
            log.info("encoded %d of %d sets", start + SHARD, count)
        shards.append(load_file(path))
    latents = torch.cat([shard["latents"] for shard in shards])
    return Edits(sets, latents, torch.cat([shard["boxes"] for shard in shards]))


@torch.no_grad()
def _encoded(sets: list[EditSet], vae: AutoencoderKLQwenImage) -> dict[str, Tensor]:
    mean = torch.tensor(vae.config.latents_mean, device=device()).view(1, -1, 1, 1)
    std = torch.tensor(vae.config.latents_std, device=device()).view(1, -1, 1, 1)
    latents, boxes = [], []
    for edit_set in sets:
        pictures, box = edit_set.draw(random.Random(f"jitter {edit_set.identity.code}"))
        raw = encode(vae, to_signed(pictures))[0][:, :, 0]
        latents.append(((raw - mean) / std).half().cpu())
        boxes.append(box)
    return {"latents": torch.stack(latents).contiguous(), "boxes": torch.stack(boxes)}
