"""Flat shapes on a supersampled picture, placed through nested affine frames.

Knows geometry and Pillow; knows nothing of people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]

SUPERSAMPLING = 3
UNITS = 96.0
"""A picture is this many units wide and high, whatever its size in pixels."""

_TURN = tuple((math.cos(math.radians(t)), math.sin(math.radians(t))) for t in range(0, 360, 15))


@dataclass(frozen=True, slots=True)
class Frame:
    """An affine map from local units to the picture's units; y points down, angles in degrees."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    @classmethod
    def at(cls, x: float, y: float, scale: float = 1.0, tilt: float = 0.0) -> Frame:
        cos, sin = scale * math.cos(math.radians(tilt)), scale * math.sin(math.radians(tilt))
        return cls(cos, -sin, x, sin, cos, y)

    @property
    def mirrored(self) -> Frame:
        """The same place with left and right exchanged."""
        return replace(self, a=-self.a, d=-self.d)

    def inside(self, outer: Frame) -> Frame:
        (c, f) = outer((self.c, self.f))
        return Frame(
            outer.a * self.a + outer.b * self.d,
            outer.a * self.b + outer.b * self.e,
            c,
            outer.d * self.a + outer.e * self.d,
            outer.d * self.b + outer.e * self.e,
            f,
        )

    def __call__(self, point: Point) -> Point:
        x, y = point
        return (self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f)


def arc(centre: Point, radii: Point, start: float, stop: float) -> list[Point]:
    """Points along an ellipse; 180 is left, 270 the top, 360 right, in degrees."""
    count = max(2, round(abs(stop - start) / 12))
    angles = (math.radians(start + (stop - start) * i / count) for i in range(count + 1))
    return [
        (centre[0] + radii[0] * math.cos(t), centre[1] + radii[1] * math.sin(t)) for t in angles
    ]


class Canvas:
    """What is drawn on; `within` gives the same picture seen through another frame."""

    def __init__(self, size: int, background: Colour) -> None:
        pixels = size * SUPERSAMPLING
        self.image = Image.new("RGB", (pixels, pixels), background)
        self.frame = Frame.at(0, 0, pixels / UNITS)
        self._pen = ImageDraw.Draw(self.image)

    def within(self, frame: Frame) -> Canvas:
        inner = Canvas.__new__(Canvas)
        inner.image, inner._pen = self.image, self._pen
        inner.frame = frame.inside(self.frame)
        return inner

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._pen.polygon([self.frame(p) for p in points], fill=colour)

    def ellipse(self, centre: Point, radii: Point, colour: Colour) -> None:
        (x, y), (rx, ry) = centre, radii
        self.polygon([(x + rx * cos, y + ry * sin) for cos, sin in _TURN], colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line with round joints and ends."""
        placed = [self.frame(p) for p in points]
        pixels = width * math.hypot(self.frame.a, self.frame.d)
        self._pen.line(placed, fill=colour, width=max(1, round(pixels)), joint="curve")
        reach = pixels / 2
        for x, y in (placed[0], placed[-1]):
            self._pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)

    def ring(self, centre: Point, radii: Point, width: float, colour: Colour) -> None:
        self.stroke(arc(centre, radii, 0, 360), width, colour)

    def picture(self) -> Image.Image:
        return self.image.reduce(SUPERSAMPLING)
