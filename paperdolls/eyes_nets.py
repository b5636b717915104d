"""The three small networks of a face pack: a detector, an embedder and a reader.

They follow the input and output rules of insightface (SCRFD and ArcFace), so that its own code runs
them; the reader answers questions about a whole picture. Nothing here knows what a doll looks like.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
"""Pixels between neighbouring anchors on the detector's three levels."""

ANCHORS = 2
"""Anchors at each place, as every SCRFD file with nine outputs has."""


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, channels: int, out: int, stride: int = 1, kernel: int = 3, padding: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(channels, out, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )


class Residual(nn.Module):
    """Two convolutions added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvNorm(channels, channels), ConvNorm(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.body(x)
        return added


class Level(nn.Module):
    """What the detector says at one stride: scores, box distances and key point offsets."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.trunk = ConvNorm(channels, channels)
        self.score = nn.Conv2d(channels, ANCHORS, 1)
        self.box = nn.Conv2d(channels, ANCHORS * 4, 1)
        self.points = nn.Conv2d(channels, ANCHORS * 10, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.trunk(x)
        return [flat(head(x), size) for head, size in zip(self._heads, (1, 4, 10), strict=True)]

    @property
    def _heads(self) -> tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d]:
        return self.score, self.box, self.points


def flat(x: Tensor, size: int) -> Tensor:
    """(n, anchors * size, rows, columns) -> (n, rows * columns * anchors, size)."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, size)


class Trunk(nn.Sequential):
    """A picture (n, 3, 16 h, 16 w) -> what is where in it, (n, channels, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            ConvNorm(3, 40, 4, kernel=6, padding=1),
            ConvNorm(40, 48, 2),
            Residual(48),
            ConvNorm(48, 64, 2),
            Residual(64),
            ConvNorm(64, channels, kernel=1, padding=0),
        )


class Detector(nn.Module):
    """A feature pyramid with SCRFD's nine outputs.

    Input (n, 3, h, w), RGB, (value - 127.5) / 128, sides multiples of 32. Outputs: scores in [0, 1]
    at strides 8, 16, 32, then distances to the box's sides, then five key points' offsets, each
    (n, places * anchors, 1 | 4 | 10) and in units of the stride, counted from the place's corner.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.low = nn.Sequential(ConvNorm(3, 24, 4, kernel=6, padding=1), ConvNorm(24, 32, 2))
        self.middle = ConvNorm(32, 40, 2)
        self.top = nn.Sequential(ConvNorm(40, 40, 2), Residual(40))
        self.lateral = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in (32, 40, 40))
        self.levels = nn.ModuleList(Level(width) for _ in STRIDES)

    def raw(self, x: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Score logits, boxes and key points, a list over strides each."""
        low = self.low(x)
        middle = self.middle(low)
        top = self.top(middle)
        maps = [lateral(m) for lateral, m in zip(self.lateral, (low, middle, top), strict=True)]
        maps[1] = maps[1] + functional.interpolate(maps[2], scale_factor=2.0)
        maps[0] = maps[0] + functional.interpolate(maps[1], scale_factor=2.0)
        said = [level(m) for level, m in zip(self.levels, maps, strict=True)]
        return [s[0] for s in said], [s[1] for s in said], [s[2] for s in said]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        scores, boxes, points = self.raw(x)
        return (*(s.sigmoid() for s in scores), *boxes, *points)


class Embedder(nn.Module):
    """ArcFace's layout: (n, 3, 112, 112), RGB, (value - 127.5) / 127.5 -> (n, dimensions)."""

    def __init__(self, dimensions: int = 64) -> None:
        super().__init__()
        self.trunk = Trunk(12)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 7 * 7, dimensions, bias=False))
        self.norm = nn.BatchNorm1d(dimensions, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        embedded: Tensor = self.norm(self.head(self.trunk(x)))
        return embedded


class Reader(nn.Module):
    """Answers each question about a picture (n, 3, 96, 96), RGB in [0, 1], with class logits."""

    def __init__(self, classes: dict[str, int]) -> None:
        super().__init__()
        self.classes = classes
        self.trunk = Trunk(12)
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(12 * 6 * 6, 96), nn.ReLU())
        self.answers = nn.Linear(96, sum(classes.values()))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        answers = self.answers(self.hidden(self.trunk(x * 2 - 1)))
        return torch.split(answers, list(self.classes.values()), dim=1)
