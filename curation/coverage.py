"""Which shots of a subject exist among its accepted pictures, and which are holes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from curation import shots
from curation.models import Image, Subject
from curation.shots import Shot

WANTED = 2
"""Accepted pictures of a cell under which it counts as a hole."""


@dataclass(frozen=True, slots=True)
class CoverageCell:
    shot: Shot
    count: int

    @property
    def is_hole(self) -> bool:
        return self.count < WANTED


@dataclass(frozen=True, slots=True)
class CoverageRow:
    name: str
    cells: tuple[CoverageCell, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Portraits by expression (rows) and view (columns), and the full-body cells."""

    views: tuple[str, ...]
    rows: tuple[CoverageRow, ...]
    bodies: tuple[CoverageCell, ...]
    num_unknown: int

    @property
    def cells(self) -> list[CoverageCell]:
        return [cell for row in self.rows for cell in row.cells] + list(self.bodies)

    @property
    def holes(self) -> list[Shot]:
        """Emptiest first."""
        return [cell.shot for cell in sorted(self.cells, key=lambda c: c.count) if cell.is_hole]


def coverage(subject: Subject) -> Coverage:
    """Count what training may use. Body shots count by pose, whatever their view. One query."""
    counted = (
        Image.objects.trainable()
        .filter(subject=subject)
        .order_by()
        .values_list("view", "expression", "pose")
        .annotate(count=Count("pk"))
    )
    by_cell: Counter[Shot] = Counter()
    num_unknown = 0
    for view, expression, pose, count in counted:
        if not (view and expression and pose):
            num_unknown += count
            continue
        shot = Shot(view, expression, pose)
        by_cell[shot if shot.is_portrait else Shot(pose=pose)] += count
    rows = tuple(
        CoverageRow(e, tuple(CoverageCell(Shot(v, e), by_cell[Shot(v, e)]) for v in shots.VIEWS))
        for e in shots.EXPRESSIONS
    )
    bodies = tuple(CoverageCell(shot, by_cell[shot]) for shot in shots.bodies())
    return Coverage(shots.VIEWS, rows, bodies, num_unknown)
