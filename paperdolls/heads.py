"""Draws a head: every trait and expression, from five views.

Units: the face is an ellipse of 24 x 28 round the origin, y down, the head looks left when it is
turned. Knows identities and words of the vocabulary, nothing of bodies and backgrounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from paperdolls import hair
from paperdolls.canvas import Canvas, Colour, Point, arc
from paperdolls.hair import FRONT, HALF, SIDE
from paperdolls.people import TRAITS, Identity

FACE: Point = (24, 28)

SKINS: tuple[Colour, ...] = (
    (255, 222, 196),
    (242, 188, 140),
    (212, 150, 96),
    (168, 108, 64),
    (128, 78, 48),
    (90, 56, 42),
)
HAIRS: tuple[Colour, ...] = (
    (34, 30, 36),
    (247, 247, 250),
    (232, 106, 22),
    (248, 212, 60),
    (248, 116, 180),
    (38, 104, 232),
    (36, 158, 76),
    (136, 46, 186),
)
IRISES: tuple[Colour, ...] = ((30, 110, 250), (20, 165, 60), (120, 62, 14), (176, 40, 214))
LIPS: tuple[Colour, ...] = ((150, 24, 44), (140, 20, 40), (124, 14, 34), (84, 6, 20)) + (
    (238, 130, 130),
) * 2

WHITE: Colour = (255, 255, 255)
INK: Colour = (24, 16, 18)
MOUTH: Colour = (92, 10, 26)
TONGUE: Colour = (226, 84, 96)
GOLD: Colour = (255, 190, 0)
TURQUOISE: Colour = (0, 196, 190)
LIME: Colour = (150, 236, 0)
FRAMES: Colour = (206, 20, 40)
TEAR: Colour = (70, 190, 255)


@dataclass(frozen=True, slots=True)
class Eye:
    """Where an eye sits, how wide it looks, and on which side of it the nose is."""

    x: float
    width: float
    inward: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What turning the head does to the face: eyes, the mouth's place and width, the ears."""

    name: str
    eyes: tuple[Eye, ...]
    mouth: float
    squeeze: float
    ears: tuple[float, ...]
    corners: tuple[Point, ...]
    """Both eyes, the nose's tip and both mouth corners, also where the head hides one."""


TURNS = {
    FRONT: Turn(
        FRONT,
        (Eye(-11, 1.0, 1), Eye(11, 1.0, -1)),
        0,
        1.0,
        (-25, 25),
        ((-11, 1), (11, 1), (0, 8), (-10, 16), (10, 16)),
    ),
    HALF: Turn(
        HALF,
        (Eye(-17, 0.74, 1), Eye(2, 1.0, -1)),
        -8,
        0.84,
        (20,),
        ((-17, 1), (2, 1), (-11, 8), (-17, 16), (0, 16)),
    ),
    SIDE: Turn(
        SIDE,
        (Eye(-13, 0.78, -1),),
        -12.5,
        0.68,
        (8,),
        ((-19, 1), (-13, 1), (-26, 8), (-19, 16), (-6, 16)),
    ),
}


def shade(colour: Colour, factor: float) -> Colour:
    return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))


def draw_head(canvas: Canvas, person: Identity, turn: Turn, expression: str) -> None:
    """Layer by layer, from the back of the head to what lies on top of the face."""
    skin, locks = SKINS[person.skin], HAIRS[person.hair]
    style, extra = TRAITS["style"][person.style], TRAITS["extra"][person.extra]
    hair.behind(canvas, style, turn.name, locks)
    if turn.name == SIDE:
        hair.tail(canvas, TRAITS["back"][person.back], locks)
    canvas.polygon([(-8, 18), (8, 18), (9, 36), (-9, 36)], shade(skin, 0.84))
    if turn.name == FRONT:
        _ears(canvas, turn, skin)
    canvas.ellipse((0, 0), FACE, skin)
    _nose(canvas, turn, TRAITS["nose"][person.nose], skin)
    if extra == "beard":
        _beard(canvas, turn, locks)
    hair.over(canvas, style, turn.name, locks)
    if turn.name != FRONT:
        _ears(canvas, turn, skin)
        _jewel(canvas, turn.ears[0], TRAITS["ear"][person.ear])
    _mouth(canvas, turn, expression, person)
    _eyes(canvas, turn, IRISES[person.eyes])
    _EXTRAS.get(extra, _nothing)(canvas, turn)
    _brows(canvas, turn, expression)
    if expression == "sad":
        _tears(canvas, turn)
    if expression == "angry":
        _frown(canvas, turn, person)


def _nothing(canvas: Canvas, turn: Turn) -> None:
    del canvas, turn


def _ears(canvas: Canvas, turn: Turn, skin: Colour) -> None:
    for x in turn.ears:
        canvas.ellipse((x, 3), (5, 7), shade(skin, 0.9))
        canvas.ellipse((x, 3), (2.4, 4), shade(skin, 0.7))


def _jewel(canvas: Canvas, x: float, kind: str) -> None:
    if kind == "hoop":
        canvas.ring((x, 17), (6.5, 7.5), 4.8, INK)
        canvas.ring((x, 17), (6.5, 7.5), 2.6, GOLD)
    elif kind == "stud":
        canvas.ellipse((x, 10), (5.6, 5.6), INK)
        canvas.ellipse((x, 10), (4.2, 4.2), TURQUOISE)


def _nose(canvas: Canvas, turn: Turn, kind: str, skin: Colour) -> None:
    if turn.name != SIDE:
        x = turn.mouth - (3 if turn.name == HALF else 0)
        canvas.ellipse((x, 8), (3.6, 3), shade(skin, 0.76))
    elif kind == "button":
        canvas.ellipse((-24.5, 6.5), (5.5, 5), skin)
    elif kind == "pointed":
        canvas.polygon([(-21, -5), (-38, 9), (-22, 12)], skin)
    else:
        beak = [(-21, -8), (-30, -6), (-35, 3), (-34, 19), (-28, 11), (-21, 12)]
        canvas.polygon(beak, skin)


_CHEEKS: dict[str, list[Point]] = {
    FRONT: [(-17, 10), (-16, 20), (0, 24), (16, 20), (17, 10)],
    HALF: [(-22, 10), (-17, 19), (-8, 24), (7, 20), (11, 8)],
    SIDE: [(-22, 11), (-17, 18.5), (-10, 24), (-1, 20), (4, 6)],
}
"""Where a beard ends, from left to right."""


def _beard(canvas: Canvas, turn: Turn, colour: Colour) -> None:
    lower = arc((0, 4), (25, 34), 12, 168)
    canvas.polygon([*lower, *_CHEEKS[turn.name]], colour)


def _mouth(canvas: Canvas, turn: Turn, expression: str, person: Identity) -> None:
    def at(points: list[Point]) -> list[Point]:
        return [(turn.mouth + x * turn.squeeze, y) for x, y in points]

    if expression == "smiling":
        canvas.polygon(at(arc((0, 10), (14, 13), 180, 0)), MOUTH)
        canvas.polygon(at([(-13.5, 10), (-12.5, 15.5), (12.5, 15.5), (13.5, 10)]), WHITE)
        _teeth(canvas, at, TRAITS["teeth"][person.teeth])
    elif expression == "angry":
        canvas.polygon(at([(-9, 11), (9, 11), (13, 23), (-13, 23)]), MOUTH)
        canvas.ellipse((turn.mouth, 21.5), (6 * turn.squeeze, 2.5), TONGUE)
    elif expression == "sad":
        canvas.stroke(at(arc((0, 23.5), (10, 8), 195, 345)), 3.4, LIPS[person.skin])
    else:
        canvas.stroke(at([(-8, 16), (8, 16)]), 3.4, LIPS[person.skin])


def _teeth(canvas: Canvas, at: Callable[[list[Point]], list[Point]], kind: str) -> None:
    if kind == "gap":
        canvas.polygon(at([(-3.2, 9.8), (3.2, 9.8), (3.2, 16), (-3.2, 16)]), INK)
    elif kind == "gold":
        canvas.polygon(at([(-13.5, 10), (-12.5, 15.5), (12.5, 15.5), (13.5, 10)]), GOLD)


def _eyes(canvas: Canvas, turn: Turn, iris: Colour) -> None:
    for eye in turn.eyes:
        look = {FRONT: 0.0, HALF: -1.0, SIDE: -1.6}[turn.name]
        canvas.ellipse((eye.x, 1), (7 * eye.width, 6), WHITE)
        canvas.ellipse((eye.x + look, 1.4), (4.6 * eye.width, 4.8), iris)
        canvas.ellipse((eye.x + look, 1.4), (1.8 * eye.width, 1.9), INK)


_BROWS = {"neutral": (-9.5, -9.5), "smiling": (-11, -12), "angry": (-3, -12), "sad": (-14, -6.5)}
"""Heights of a brow's inner and outer end."""


def _brows(canvas: Canvas, turn: Turn, expression: str) -> None:
    inner, outer = _BROWS[expression]
    width = 4.0 if expression == "angry" else 3.0
    for eye in turn.eyes:
        reach = 7 * eye.width
        ends = [(eye.x + eye.inward * reach, inner), (eye.x - eye.inward * reach, outer)]
        if expression == "smiling":
            ends.insert(1, (eye.x, -15.0))
        canvas.stroke(ends, width, INK)


def _glasses(canvas: Canvas, turn: Turn) -> None:
    for eye in turn.eyes:
        canvas.ring((eye.x, 1), (8.6 * eye.width, 8), 2.6, FRAMES)
    if turn.name != FRONT:
        last = turn.eyes[-1]
        canvas.stroke([(last.x + 8.6 * last.width, 0), (turn.ears[0], -1)], 2.4, FRAMES)
    if len(turn.eyes) == 2:
        left, right = turn.eyes
        canvas.stroke([(left.x + 8 * left.width, 0), (right.x - 8 * right.width, 0)], 2.6, FRAMES)


def _headband(canvas: Canvas, turn: Turn) -> None:
    del turn
    top = arc((0, -13), (24.5, 9), 190, 350)
    canvas.polygon([*top, *[(x, y + 7) for x, y in reversed(top)]], TURQUOISE)


def _face_paint(canvas: Canvas, turn: Turn) -> None:
    for eye in turn.eyes:
        for y in (9.5, 14.5):
            start = eye.x - eye.inward * 0.5
            end = eye.x - eye.inward * 9.5 * eye.width
            canvas.stroke([(start, y), (end, y + 1)], 3.0, LIME)


_EXTRAS: dict[str, Callable[[Canvas, Turn], None]] = {
    "glasses": _glasses,
    "headband": _headband,
    "face paint": _face_paint,
}


def _tears(canvas: Canvas, turn: Turn) -> None:
    for eye in turn.eyes:
        x = eye.x - eye.inward * 4 * eye.width
        canvas.polygon([(x, 2), (x + 3.4, 10), (x - 3.4, 10)], TEAR)
        canvas.ellipse((x, 10.5), (3.6, 3.6), TEAR)


def _frown(canvas: Canvas, turn: Turn, person: Identity) -> None:
    kind = TRAITS["frown"][person.frown]
    x = {FRONT: 0.0, HALF: -7.0, SIDE: -11.0}[turn.name]
    if kind == "vein":
        at = x + 8
        for width, colour in ((4.6, WHITE), (2.4, FRAMES)):
            for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
                corner = (at + 2.2 * dx, -18 + 2.2 * dy)
                ends = [(at + 6.5 * dx, corner[1]), corner, (corner[0], -18 + 6.5 * dy)]
                canvas.stroke(ends, width, colour)
    elif kind == "furrows":
        for width, colour in ((5.6, WHITE), (2.2, INK)):
            for y in (-24, -18.5, -13):
                points = [(x - 9, y + 1), (x - 4, y - 0.6), (x + 2, y + 0.6), (x + 8, y - 1)]
                canvas.stroke(points, width, colour)
