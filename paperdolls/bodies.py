"""Draws what is below the head: shoulders in a portrait, or a whole body in one of three poses.

Units are the picture's 96 x 96, y down. Bodies look left when they are turned.
"""

from __future__ import annotations

from paperdolls.canvas import Canvas, Colour, Point

TROUSERS: Colour = (52, 56, 92)
SHOES: Colour = (70, 40, 30)
CHAIR: Colour = (150, 92, 44)
CHAIR_EDGE: Colour = (112, 66, 30)

PORTRAIT_HEAD: tuple[Point, float] = ((48, 47), 1.0)
"""Where a head goes and how large it is."""
BODY_HEADS: dict[str, tuple[Point, float]] = {
    "standing": ((48, 27), 0.56),
    "T-pose": ((48, 27), 0.56),
    "sitting": ((48, 34), 0.56),
}


def draw_shoulders(canvas: Canvas, shirt: Colour, sideways: bool) -> None:
    canvas.ellipse((48, 103), (28 if sideways else 38, 22), shirt)


def draw_chair(canvas: Canvas) -> None:
    canvas.polygon([(29, 46), (67, 46), (67, 76), (29, 76)], CHAIR)
    canvas.polygon([(25, 74), (71, 74), (71, 80), (25, 80)], CHAIR_EDGE)
    for x in (26, 66):
        canvas.polygon([(x, 78), (x + 4, 78), (x + 4, 94), (x, 94)], CHAIR_EDGE)


def draw_body(canvas: Canvas, pose: str, turned: bool, shirt: Colour, skin: Colour) -> None:
    """Everything below the neck; a turned body is narrower and its feet point left."""
    half = 8.5 if turned else 10.5
    if pose == "sitting":
        _legs(canvas, half, 70, 92, turned)
        canvas.polygon([(48 - half, 68), (48 + half, 68), (61, 82), (35, 82)], TROUSERS)
        top = 51.0
    else:
        _legs(canvas, half, 66, 92, turned)
        top = 44.0
    canvas.polygon(
        [(48 - half, top), (48 + half, top), (49 + half, top + 24), (47 - half, top + 24)], shirt
    )
    _arms(canvas, pose, half, shirt, skin)


def _legs(canvas: Canvas, half: float, top: float, bottom: float, turned: bool) -> None:
    for side in (-1, 1):
        x = 48 + side * half * 0.52
        canvas.stroke([(x, top), (x, bottom - 2)], half * 0.86, TROUSERS)
        toe = x - 3.5 if turned else x + side * 1.5
        canvas.stroke([(x, bottom), (toe, bottom)], 4.6, SHOES)


def _arms(canvas: Canvas, pose: str, half: float, shirt: Colour, skin: Colour) -> None:
    for side in (-1, 1):
        shoulder = (48 + side * (half - 1.5), 54.0 if pose == "sitting" else 47.5)
        hand: Point = {
            "T-pose": (48 + side * 40, 47.5),
            "standing": (48 + side * (half + 5), 67.0),
            "sitting": (48 + side * (half + 4), 74.0),
        }[pose]
        canvas.stroke([shoulder, hand], 6.4, shirt)
        canvas.ellipse(hand, (4.2, 4.2), skin)
