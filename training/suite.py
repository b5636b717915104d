"""The fixed questions: the cells of the model card, of checkpoints, of the editor's benchmark."""

from __future__ import annotations

from curation import shots
from curation.shots import EXPRESSIONS, Shot

CARD_VIEWS = ("front", "three-quarter left", "right profile")

CARD: tuple[Shot, ...] = (
    *(Shot(view, expression) for expression in EXPRESSIONS for view in CARD_VIEWS),
    *shots.bodies(),
)
"""12 portraits, then T-pose, standing and sitting."""

GRID: tuple[Shot, ...] = (
    Shot(),
    Shot("right profile", "smiling"),
    Shot("three-quarter left", "angry"),
    Shot(expression="smiling"),
    Shot("three-quarter right", "sad"),
    Shot(pose="standing"),
)
"""What a training draws at checkpoints; by the first two it is proven."""

EDITS: tuple[Shot, ...] = (*shots.portraits(), *shots.bodies())
"""Every portrait cell and every pose."""

SKILLS: tuple[str, ...] = (*EXPRESSIONS, *shots.VIEWS, *shots.POSES[1:])
"""What an editor can be asked for; a portrait edit tests a view and an expression."""
