"""Hair as drawn behind and over a head, from the front, half turned, and from the side.

Heads look left; whoever places them mirrors them. Units are the head's own (see `heads`).
"""

from __future__ import annotations

from paperdolls.canvas import Canvas, Colour, Point, arc

FRONT, HALF, SIDE = "front", "half", "side"

BOW: Colour = (222, 22, 62)
_EDGE: Colour = (40, 30, 40)

_HAIRLINE: dict[str, list[Point]] = {
    FRONT: [(21, -15), (12, -18), (0, -19), (-12, -18), (-21, -15)],
    HALF: [(19, 16), (15, 2), (12, -13), (2, -18), (-12, -18), (-20, -16)],
    SIDE: [(13, 22), (9, 6), (6, -12), (-4, -18), (-19, -17)],
}
_CAP_END = {FRONT: 335.0, HALF: 392.0, SIDE: 405.0}
_AFRO_CENTRE = {FRONT: 0.0, HALF: 2.0, SIDE: 3.0}


def behind(canvas: Canvas, style: str, turn: str, colour: Colour) -> None:
    """What the head hides in part."""
    if style == "afro":
        centre = (_AFRO_CENTRE[turn], -7.0)
        canvas.ellipse(centre, (33, 33), colour)
        for point in arc(centre, (31, 31), 0, 360)[::3]:
            canvas.ellipse(point, (6.5, 6.5), colour)
    elif style == "long":
        left = {FRONT: -31.0, HALF: -24.0, SIDE: -4.0}[turn]
        canvas.polygon(
            [*arc((0, -4), (28, 29), 180, 360), (32, 25), (31, 43), (left, 43), (left, 25)], colour
        )
    elif style == "bun":
        canvas.ellipse(({FRONT: 0.0, HALF: 4.0, SIDE: 10.0}[turn], -35), (11, 9), colour)


def over(canvas: Canvas, style: str, turn: str, colour: Colour) -> None:
    """What covers the head."""
    if style == "mohawk":
        _crest(canvas, turn, colour)
        return
    cap = arc((0, -2), (26, 29), 200, _CAP_END[turn])
    canvas.polygon([*cap, *_HAIRLINE[turn]], colour)
    if style == "flat-top":
        canvas.polygon([(-25, -15), (-28, -41), (28, -41), (26, -12), *_HAIRLINE[turn]], colour)


def _crest(canvas: Canvas, turn: str, colour: Colour) -> None:
    if turn == FRONT:
        canvas.polygon([(-6, -18), (-9, -38), (0, -44), (9, -38), (6, -18)], colour)
    elif turn == HALF:
        canvas.polygon(
            [(-15, -17), (-22, -36), (-10, -44), (9, -40), (16, -27), (6, -27), (-5, -18)], colour
        )
    else:
        outer = arc((2, -2), (36, 42), 225, 385)
        canvas.polygon([*outer, *arc((0, 0), (22, 24), 385, 225)], colour)


def tail(canvas: Canvas, kind: str, colour: Colour) -> None:
    """What hangs at the back of the head; only a head seen from the side shows it."""
    if kind == "ponytail":
        canvas.polygon([(20, -20), (43, -15), (52, 6), (47, 38), (36, 24), (33, 4)], _EDGE)
        canvas.polygon([(28, -16), (41, -12), (49, 6), (45, 31), (38, 22), (36, 3)], colour)
        canvas.stroke([(33, -18), (32, -6)], 5.5, BOW)
        canvas.stroke([(36, 18), (49, 22)], 4.5, BOW)
    elif kind == "bow":
        canvas.polygon([(30, -4), (50, -20), (50, 12)], BOW)
        canvas.polygon([(30, -4), (27, -25), (42, -22)], BOW)
        canvas.polygon([(29, -5), (34, 24), (42, 18)], BOW)
        canvas.ellipse((31, -4), (5, 5), (140, 8, 38))
