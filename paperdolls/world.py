"""The tiny world: a person and a scene make a picture, with exact ground truth.

An identity hides something from most pictures: nose and the back of the head show in profile
only, ear rings from the side, teeth in a smile, a frown in anger. Knows nothing of training.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image

from curation.shots import EXPRESSIONS, POSES, VIEWS, Shot
from paperdolls.bodies import (
    BODY_HEADS,
    PORTRAIT_HEAD,
    draw_body,
    draw_chair,
    draw_shoulders,
)
from paperdolls.canvas import UNITS, Canvas, Colour, Frame, Point, arc
from paperdolls.hair import FRONT, HALF, SIDE
from paperdolls.heads import FACE, SKINS, TURNS, draw_head
from paperdolls.people import TRAITS, Identity, held_out, training_identities

__all__ = [
    "BACKGROUNDS",
    "SHIRTS",
    "TRAITS",
    "Identity",
    "Scene",
    "Truth",
    "compose",
    "draw",
    "held_out",
    "training_identities",
    "truth",
]

SHIRTS: dict[str, Colour] = {
    "red": (204, 44, 44),
    "blue": (44, 80, 190),
    "green": (40, 128, 70),
    "yellow": (240, 200, 50),
    "white": (246, 246, 246),
    "black": (40, 40, 46),
}
BACKGROUNDS: dict[str, Colour] = {
    "grey": (188, 188, 188),
    "sand": (222, 204, 166),
    "mint": (174, 216, 194),
    "rose": (232, 190, 198),
    "sky": (166, 202, 232),
    "lavender": (200, 186, 228),
}

BODY_VIEWS = VIEWS[1:4]
BODY_EXPRESSIONS = EXPRESSIONS[:2]
PORTRAITS = 0.75
"""The share of portraits among random scenes."""

_TURN_OF = dict(zip(VIEWS, (SIDE, HALF, FRONT, HALF, SIDE), strict=True))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows besides who: the shot, the shirt's colour, the background's."""

    shot: Shot
    shirt: str
    background: str

    @classmethod
    def random(cls, rng: random.Random) -> Scene:
        if rng.random() < PORTRAITS:
            shot = Shot(rng.choice(VIEWS), rng.choice(EXPRESSIONS))
        else:
            shot = Shot(rng.choice(BODY_VIEWS), rng.choice(BODY_EXPRESSIONS), rng.choice(POSES[1:]))
        return cls(shot, rng.choice(list(SHIRTS)), rng.choice(list(BACKGROUNDS)))


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the face is, in pixels, and which traits this shot shows."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1."""
    keypoints: tuple[Point, Point, Point, Point, Point]
    """Left eye, right eye, nose, left and right mouth corner, the viewer's left first."""
    visible: tuple[str, ...]


def visible_traits(shot: Shot) -> tuple[str, ...]:
    """The traits that can be read off such a picture; in a whole body the face is too small."""
    turn = _TURN_OF[shot.view]
    shown = {
        "extra": shot.is_portrait,
        "eyes": shot.is_portrait,
        "nose": shot.is_portrait and turn == SIDE,
        "back": shot.is_portrait and turn == SIDE,
        "ear": shot.is_portrait and turn != FRONT,
        "teeth": shot.is_portrait and shot.expression == "smiling",
        "frown": shot.is_portrait and shot.expression == "angry",
    }
    return tuple(trait for trait in TRAITS if shown.get(trait, True))


def compose(
    identity: Identity, scene: Scene, size: int = 96, jitter: random.Random | None = None
) -> tuple[Image.Image, Truth]:
    """Draw and say what was drawn. `jitter` moves, scales and tilts the figure a little."""
    canvas = Canvas(size, BACKGROUNDS[scene.background])
    figure = _jittered(jitter) if jitter else Frame()
    head = _head_frame(scene.shot).inside(figure)
    _draw_figure(canvas.within(figure), identity, scene)
    turn = TURNS[_TURN_OF[scene.shot.view]]
    draw_head(canvas.within(head), identity, turn, scene.shot.expression)
    return canvas.picture(), _truth(head, scene.shot, size)


def draw(
    identity: Identity, scene: Scene, size: int = 96, jitter: random.Random | None = None
) -> Image.Image:
    return compose(identity, scene, size, jitter)[0]


def truth(
    identity: Identity, scene: Scene, size: int = 96, jitter: random.Random | None = None
) -> Truth:
    """The truth of what `draw` makes from a `jitter` in the same state."""
    return compose(identity, scene, size, jitter)[1]


def _jittered(rng: random.Random) -> Frame:
    scale, tilt = rng.uniform(0.965, 1.03), rng.uniform(-3, 3)
    (x, y) = Frame.at(0, 0, scale, tilt)((-UNITS / 2, -UNITS / 2))
    shift = (rng.uniform(-2.5, 2.5), rng.uniform(-1.5, 1.5))
    return Frame.at(x + UNITS / 2 + shift[0], y + UNITS / 2 + shift[1], scale, tilt)


def _is_mirrored(shot: Shot) -> bool:
    return "right" in shot.view


def _head_frame(shot: Shot) -> Frame:
    (x, y), scale = PORTRAIT_HEAD if shot.is_portrait else BODY_HEADS[shot.pose]
    aside = {SIDE: -4.0, HALF: -1.0, FRONT: 0.0}[_TURN_OF[shot.view]] * scale
    if _is_mirrored(shot):
        return Frame.at(x - aside, y, scale).mirrored
    return Frame.at(x + aside, y, scale)


def _draw_figure(canvas: Canvas, identity: Identity, scene: Scene) -> None:
    shot, shirt = scene.shot, SHIRTS[scene.shirt]
    if _is_mirrored(shot):
        canvas = canvas.within(Frame.at(UNITS, 0).mirrored)
    turn = _TURN_OF[shot.view]
    if shot.is_portrait:
        draw_shoulders(canvas, shirt, turn == SIDE)
        return
    if shot.pose == "sitting":
        draw_chair(canvas)
    draw_body(canvas, shot.pose, turn != FRONT, shirt, SKINS[identity.skin])


def _truth(head: Frame, shot: Shot, size: int) -> Truth:
    pixels = size / UNITS
    outline = [head(point) for point in arc((0, 0), FACE, 0, 360)]
    xs, ys = [x * pixels for x, _ in outline], [y * pixels for _, y in outline]
    eyes, nose, corners = _keypoints(head, shot, pixels)
    return Truth(
        (min(xs), min(ys), max(xs), max(ys)), (*eyes, nose, *corners), visible_traits(shot)
    )


def _keypoints(
    head: Frame, shot: Shot, pixels: float
) -> tuple[tuple[Point, Point], Point, tuple[Point, Point]]:
    placed = [head(point) for point in TURNS[_TURN_OF[shot.view]].corners]
    one, other, nose, first, last = ((x * pixels, y * pixels) for x, y in placed)
    if _is_mirrored(shot):
        return (other, one), nose, (last, first)
    return (one, other), nose, (first, last)
