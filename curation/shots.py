"""The words for what a picture shows: view x expression x pose, and the sentences made of them.

Pure Python: coverage, captions, edit instructions and the benchmark all speak through it, and so
does the paper-doll world, so that what a model is asked for is what it was taught.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

VIEWS = ("left profile", "three-quarter left", "front", "three-quarter right", "right profile")
"""Where the face points, as the viewer sees it."""

EXPRESSIONS = ("neutral", "smiling", "angry", "sad")

POSES = ("portrait", "standing", "T-pose", "sitting")
"""A portrait is head and shoulders; the others show the whole body."""

KEEP = "Keep the same person, hair, clothes and background."


@dataclass(frozen=True, slots=True, order=True)
class Shot:
    """One cell of the coverage table.

    Raises:
        ValueError: a word is not of the vocabulary.
    """

    view: str = "front"
    expression: str = "neutral"
    pose: str = "portrait"

    def __post_init__(self) -> None:
        for word, known in ((self.view, VIEWS), (self.expression, EXPRESSIONS), (self.pose, POSES)):
            if word not in known:
                raise ValueError(f"{word!r} is none of {', '.join(known)}")

    @property
    def is_portrait(self) -> bool:
        return self.pose == "portrait"

    @property
    def framing(self) -> str:
        return "portrait" if self.is_portrait else f"full body, {self.pose}"

    def __str__(self) -> str:
        if self.is_portrait:
            return f"{self.expression}, {self.view}"
        return f"{self.pose}, {self.view}"


def caption(person: str, shot: Shot, clothes: str = "", background: str = "") -> str:
    """Say what varies and never what stays, so that the instance token carries the identity."""
    parts = [f"photo of {person}", shot.framing]
    parts += [f"{shot.view} view", f"{shot.expression} expression"]
    parts += [clothes] if clothes else []
    parts += [f"{background} background"] if background else []
    return ", ".join(parts)


def instruction(wanted: Shot, source: Shot | None = None, background: str = "") -> str:
    """Ask an editor for `wanted`, naming only what differs from `source` where that is known."""
    orders = []
    if source is None or source.pose != wanted.pose:
        orders.append(
            "Show a portrait of the head and shoulders."
            if wanted.is_portrait
            else f"Show the full body, {wanted.pose}."
        )
    if source is None or source.view != wanted.view:
        orders.append(f"Turn the head to the {wanted.view} view.")
    if source is None or source.expression != wanted.expression:
        orders.append(f"Make the expression {wanted.expression}.")
    if background:
        orders.append(f"Change the background to {background}.")
        return " ".join([*orders, "Keep the same person, hair and clothes."])
    return " ".join([*orders, KEEP])


def portraits() -> Iterator[Shot]:
    """Every portrait cell, row by row as the coverage table shows them."""
    for expression in EXPRESSIONS:
        for view in VIEWS:
            yield Shot(view, expression)


def bodies() -> Iterator[Shot]:
    """The full-body cells: front view, neutral."""
    for pose in POSES[1:]:
        yield Shot(pose=pose)
