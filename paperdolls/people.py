"""Who lives in the tiny world: traits, identities, and which of them nobody may train on.

Pure Python; knows nothing of drawing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from functools import cache

TRAITS: dict[str, tuple[str, ...]] = {
    "skin": ("porcelain", "peach", "honey", "bronze", "chestnut", "umber"),
    "hair": ("black", "white", "orange", "yellow", "pink", "blue", "green", "violet"),
    "style": ("short", "afro", "long", "mohawk", "bun", "flat-top"),
    "extra": ("none", "glasses", "beard", "headband", "face paint"),
    "eyes": ("blue", "green", "brown", "violet"),
    "nose": ("button", "pointed", "hooked"),
    "back": ("none", "ponytail", "bow"),
    "ear": ("none", "hoop", "stud"),
    "teeth": ("even", "gap", "gold"),
    "frown": ("smooth", "vein", "furrows"),
}
"""Every trait with its values. The first three show in every picture, extra and eyes in portraits,
the nose and the back of the head in profile only, the ear from the side, teeth in a smile, the
frown in anger."""

HELD_OUT = 32
APART = 3
"""Held-out people differ from each other, and from whoever is trained on, in this many traits."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """One person: for each trait the index of its value in TRAITS."""

    skin: int
    hair: int
    style: int
    extra: int
    eyes: int
    nose: int
    back: int
    ear: int
    teeth: int
    frown: int

    @classmethod
    def random(cls, rng: random.Random) -> Identity:
        return cls(*(rng.randrange(len(values)) for values in TRAITS.values()))

    @classmethod
    def from_code(cls, code: str) -> Identity:
        return cls(*map(int, code))

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def code(self) -> str:
        """One digit a trait, in the order of TRAITS."""
        return "".join(map(str, self.values))

    def distance(self, other: Identity) -> int:
        """How many traits differ."""
        return sum(a != b for a, b in zip(self.values, other.values, strict=True))

    def is_apart_from(self, others: list[Identity]) -> bool:
        return all(self.distance(other) >= APART for other in others)


@cache
def _held_out() -> tuple[Identity, ...]:
    rng, chosen = random.Random("held-out people"), list[Identity]()
    while len(chosen) < HELD_OUT:
        candidate = Identity.random(rng)
        if candidate.is_apart_from(chosen):
            chosen.append(candidate)
    return tuple(chosen)


def held_out(seed: int) -> Identity:
    """The person nobody trained on, for seeds 0 to 31.

    Raises:
        IndexError: there is no such person.
    """
    return _held_out()[seed]


def training_identities(count: int, seed: int) -> list[Identity]:
    """Random people who differ from every held-out one in at least APART traits."""
    rng, kept, reserved = random.Random(seed), dict[Identity, None](), list(_held_out())
    while len(kept) < count:
        candidate = Identity.random(rng)
        if candidate.is_apart_from(reserved):
            kept[candidate] = None
    return list(kept)
