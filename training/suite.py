"""The fixed questions: the cells of the model card and of the editor's benchmark."""

from __future__ import annotations

from curation import shots
from curation.shots import EXPRESSIONS, Shot

CARD_VIEWS = ("front", "three-quarter left", "right profile")

CARD: tuple[Shot, ...] = (
    *(Shot(view, expression) for expression in EXPRESSIONS for view in CARD_VIEWS),
    *shots.bodies(),
)
"""12 portraits, then T-pose, standing and sitting."""

EDITS: tuple[Shot, ...] = (*shots.portraits(), *shots.bodies())
"""Every portrait cell and every pose."""

SKILLS: tuple[str, ...] = (*EXPRESSIONS, *shots.VIEWS, *shots.POSES[1:])
"""What an editor can be asked for; a portrait edit tests a view and an expression."""
