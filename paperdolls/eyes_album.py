"""Drawings with their truth, as arrays that the eyes learn from and are measured on.

Knows the world and the vocabulary; knows no network.
"""

from __future__ import annotations

import copy
import io
import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from insightface.utils.face_align import norm_crop
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from curation.shots import EXPRESSIONS, POSES, VIEWS
from paperdolls.world import TRAITS, Identity, Scene, compose

SIZE = 96
CROP = 112
HIDDEN = "hidden"
"""The answer about a trait that the shot does not show."""

QUESTIONS: dict[str, tuple[str, ...]] = {
    "view": VIEWS,
    "expression": EXPRESSIONS,
    "pose": POSES,
    **{trait: (*words, HIDDEN) for trait, words in TRAITS.items()},
}

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Album:
    """n drawings of 96 x 96 px.

    pictures: (n, 96, 96, 3) RGB. boxes: (n, 4) face box, px. keypoints: (n, 5, 2), px.
    people: (n,) which identity. answers: question -> (n,) index among its words.
    """

    pictures: Pixels
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    people: NDArray[np.int64]
    answers: dict[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.pictures)


def images(pictures: Pixels) -> list[Image.Image]:
    return [Image.fromarray(picture) for picture in pictures]


@dataclass(frozen=True)
class Page:
    """One drawing of an album."""

    picture: Pixels
    box: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    answers: dict[str, int]


def draw_album(
    people: Sequence[Identity], count: int, seed: int, rough: bool = True, half_made: float = 0
) -> Album:
    """Draw `count` random scenes, everybody about equally often.

    `rough` spoils most drawings as cameras, files and generative models do; `half_made` is the
    share of portraits that lack a part of their expression and are still called by its name.
    """
    tasks = [(people[index % len(people)], seed * 1_000_003 + index) for index in range(count)]
    draw = partial(draw_page, rough=rough, half_made=half_made)
    with multiprocessing.get_context("fork").Pool() as pool:
        pages = pool.starmap(draw, tasks, chunksize=200)
    return Album(
        pictures=np.stack([page.picture for page in pages]),
        boxes=np.stack([page.box for page in pages]),
        keypoints=np.stack([page.keypoints for page in pages]),
        people=np.arange(count) % len(people),
        answers={name: np.array([page.answers[name] for page in pages]) for name in QUESTIONS},
    )


def draw_page(identity: Identity, seed: int, rough: bool, half_made: float = 0) -> Page:
    rng = random.Random(seed)
    scene = Scene.random(rng)
    again = copy.copy(rng)
    picture, truth = compose(identity, scene, size=SIZE, jitter=rng)
    if scene.shot.is_portrait and random.Random(-seed).random() < half_made:
        calm = replace(scene, shot=replace(scene.shot, expression="neutral"))
        picture = lessened(picture, compose(identity, calm, SIZE, again)[0], truth.box, seed)
    return Page(
        picture=np.asarray(roughen(picture, rng) if rough else picture),
        box=np.array(truth.box, np.float32),
        keypoints=np.array(truth.keypoints, np.float32),
        answers=answers_about(identity, scene, truth.visible),
    )


def lessened(
    picture: Image.Image, calm: Image.Image, box: tuple[float, ...], seed: int
) -> Image.Image:
    """Let the neutral face through here and there, in less than half of the face."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.random((5, 5), np.float32)).resize((SIZE, SIZE))
    mask = np.clip(3 * (np.asarray(noise) - 0.5) + 0.5, 0, 1) * rng.uniform(0.5, 1)
    x0, y0, x1, y1 = (int(edge) for edge in box)
    share = float(mask[max(0, y0) : y1, max(0, x0) : x1].mean())
    mask = mask * min(1.0, 0.42 / max(share, 1e-6))
    return Image.composite(calm, picture, Image.fromarray((255 * mask).astype(np.uint8)))


def answers_about(identity: Identity, scene: Scene, visible: Sequence[str]) -> dict[str, int]:
    shot = scene.shot
    answers = {
        "view": VIEWS.index(shot.view),
        "expression": EXPRESSIONS.index(shot.expression),
        "pose": POSES.index(shot.pose),
    }
    for (trait, words), value in zip(TRAITS.items(), identity.values, strict=True):
        answers[trait] = value if trait in visible else len(words)
    return answers


def roughen(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Blur, shrink, recompress or tint: each about every third time."""
    if rng.random() < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.35:
        side = int(SIZE * rng.uniform(0.5, 0.95))
        small = picture.resize((side, side), Image.Resampling.BILINEAR)
        picture = small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    if rng.random() < 0.35:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            picture = enhance(picture).enhance(rng.uniform(0.9, 1.1))
    if rng.random() < 0.35:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=rng.randint(35, 95))
        picture = Image.open(file).convert("RGB")
    return picture


def face_crops(album: Album, seed: int, unsure: float = 1.0) -> Pixels:
    """Faces aligned as insightface does, (n, 112, 112, 3); `unsure` px of key point error."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, unsure, album.keypoints.shape).astype(np.float32)
    points = album.keypoints + noise
    crops = [norm_crop(p, k, CROP) for p, k in zip(album.pictures, points, strict=True)]
    return np.stack(crops)


@dataclass(frozen=True)
class Group:
    """A picture for the detector: nobody, one or two faces. boxes (m, 4), keypoints (m, 5, 2)."""

    picture: Pixels
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]


def group(album: Album, rng: np.random.Generator) -> Group:
    """A drawing somewhere, at some size, perhaps with a second one, perhaps without its face."""
    kind = rng.random()
    if kind < 0.1:
        return faceless(album, rng)
    if kind < 0.25:
        return pair(album, rng)
    zoom = rng.uniform(0.5, 1.2)
    slack = 0.25 * SIZE
    offset = (1 - zoom) * SIZE / 2 + rng.uniform(-slack, slack, 2) * (kind < 0.7)
    return placed(album, int(rng.integers(len(album))), zoom, offset)


def placed(album: Album, index: int, zoom: float, offset: NDArray[np.float64]) -> Group:
    matrix = np.array([[zoom, 0, offset[0]], [0, zoom, offset[1]]])
    picture = cv2.warpAffine(
        album.pictures[index], matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE
    )
    box = album.boxes[index].reshape(2, 2) * zoom + offset
    points = album.keypoints[index] * zoom + offset
    centre = box.mean(axis=0)
    seen = bool(((centre > 4) & (centre < SIZE - 4)).all())
    return Group(
        picture=np.asarray(picture, np.uint8),
        boxes=box.reshape(1, 4)[:seen].astype(np.float32),
        keypoints=points[None][:seen].astype(np.float32),
    )


def pair(album: Album, rng: np.random.Generator) -> Group:
    """Two drawings cut to about the face, side by side on one plain ground."""
    picture = np.full((SIZE, SIZE, 3), rng.integers(256) * (rng.random() < 0.5), np.uint8)
    wide = int(rng.uniform(0.35, 0.65) * SIZE)
    spans = [(0, wide), (wide, SIZE)]
    faces = [pasted(album, picture, span, rng) for span in spans]
    boxes, keypoints = (np.stack(part).astype(np.float32) for part in zip(*faces, strict=True))
    return Group(picture, boxes, keypoints)


def pasted(
    album: Album, picture: Pixels, span: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Paste the face of one drawing within these columns; its box and its key points there."""
    index = int(rng.integers(len(album)))
    box = album.boxes[index].reshape(2, 2)
    cut = (box[1] - box[0]).max() * rng.uniform(1.1, 2.2)
    side = int((span[1] - span[0]) * rng.uniform(0.75, 1))
    corner = np.array([rng.integers(span[0], span[1] - side + 1), rng.integers(SIZE - side + 1)])
    zoom = side / cut
    offset = side / 2 - box.mean(axis=0) * zoom
    matrix = np.array([[zoom, 0, offset[0]], [0, zoom, offset[1]]])
    picture[corner[1] : corner[1] + side, corner[0] : corner[0] + side] = cv2.warpAffine(
        album.pictures[index], matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    return (box * zoom + offset + corner).ravel(), album.keypoints[index] * zoom + offset + corner


def faceless(album: Album, rng: np.random.Generator) -> Group:
    """What lies below a chin, or noise."""
    index = int(rng.integers(len(album)))
    chin = int(np.clip(album.boxes[index, 3] + 2, 0, SIZE - 8))
    below = album.pictures[index, chin:]
    noise = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    picture = cv2.resize(below if rng.random() < 0.7 else noise, (SIZE, SIZE))
    return Group(
        picture=np.asarray(picture, np.uint8),
        boxes=np.zeros((0, 4), np.float32),
        keypoints=np.zeros((0, 5, 2), np.float32),
    )
