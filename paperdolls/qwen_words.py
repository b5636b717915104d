"""What a person types to have a drawing edited, and what it asks for.

Pure Python; knows nothing of models.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from curation.shots import EXPRESSIONS, POSES, VIEWS, Shot, instruction
from paperdolls.world import BACKGROUNDS, Scene

UNSAID = 0
ASKS: dict[str, tuple[str, ...]] = {
    "pose": POSES,
    "view": VIEWS,
    "expression": EXPRESSIONS,
    "background": tuple(BACKGROUNDS),
}
"""What an instruction can ask for. As numbers: `UNSAID`, or 1 + the word's place here."""

CANONICAL = 0.8
"""The share of instructions in the product's own words."""
SOURCE_KNOWN = 0.6
"""The share of those that name only what differs from the source."""

PARAPHRASES: dict[str, tuple[str, ...]] = {
    "portrait": (
        "portrait",
        "close-up",
        "close-up portrait",
        "head and shoulders",
        "just the head",
    ),
    "standing": ("standing", "full body, standing", "stand up", "make {them} stand", "standing up"),
    "T-pose": ("T-pose", "in a T-pose", "full body, T-pose", "arms stretched out", "t-pose"),
    "sitting": (
        "sitting",
        "sit down",
        "full body, sitting",
        "make {them} sit",
        "sitting on a chair",
    ),
    "neutral": ("neutral", "neutral expression", "calm", "make {them} look neutral", "no emotion"),
    "smiling": ("smile", "smiling", "make {them} smile", "happy", "make {them} look happy"),
    "angry": (
        "angry",
        "make {them} look angry",
        "angry expression",
        "furious",
        "make {them} angry",
    ),
    "sad": ("sad", "make {them} look sad", "sad expression", "unhappy", "make {them} sad"),
}
"""Other words for a pose or an expression; `{them}` is whoever is in the picture."""
THEM = ("her", "him", "them", "the person")
VIEW_PARAPHRASES = ("{}", "{} view", "show the {}", "turn to the {}", "show the {} view")
BACKGROUND_PARAPHRASES = ("{} background", "change the background to {}", "on {}")


@dataclass(frozen=True, slots=True)
class Request:
    """An instruction, and what it asks for as numbers in the order of ASKS."""

    text: str
    asks: tuple[int, int, int, int]


def request(rng: random.Random, source: Scene, target: Scene) -> Request:
    """Words, chosen at random, that turn `source` into `target`."""
    background = target.background if target.background != source.background else ""
    if rng.random() < CANONICAL:
        known = source.shot if rng.random() < SOURCE_KNOWN else None
        text = instruction(target.shot, known, background)
        return Request(text, _asks(target.shot, known, background))
    parts = _typed(rng, source.shot, target.shot, background)
    rng.shuffle(parts)
    text = rng.choice((", ", " and ", ", ")).join(parts)
    text = text[:1].upper() + text[1:] if rng.random() < 0.4 else text
    text += rng.choice(("", "", "."))
    return Request(text, _asks(target.shot, source.shot, background))


def _typed(rng: random.Random, source: Shot, target: Shot, background: str) -> list[str]:
    parts = []
    if target.view != source.view:
        parts.append(rng.choice(VIEW_PARAPHRASES).format(target.view))
    for before, after in ((source.pose, target.pose), (source.expression, target.expression)):
        if before != after:
            parts.append(rng.choice(PARAPHRASES[after]).format(them=rng.choice(THEM)))
    if background:
        parts.append(rng.choice(BACKGROUND_PARAPHRASES).format(background))
    return parts or ["keep everything"]


def _asks(target: Shot, source: Shot | None, background: str) -> tuple[int, int, int, int]:
    before = source or Shot()
    said = (
        [source is None] * 3
        if source is None
        else [
            target.pose != before.pose,
            target.view != before.view,
            target.expression != before.expression,
        ]
    )
    words = (target.pose, target.view, target.expression)
    numbers = [
        ASKS[ask].index(word) + 1 if spoken else UNSAID
        for ask, word, spoken in zip(ASKS, words, said, strict=False)
    ]
    place = ASKS["background"].index(background) + 1 if background else UNSAID
    return (numbers[0], numbers[1], numbers[2], place)
