"""What a card's pictures say beyond likeness; and, plainly, what nobody has measured."""

from __future__ import annotations

from training.card import Card, Column
from training.guards import Guard


def probes(card: Card) -> list[Guard]:
    """Of the newest version; empty before there is one."""
    if not card.columns or card.columns[-1].lora is None:
        return []
    newest = card.columns[-1]
    return [_effect(newest), _faces(newest), _not_measured()]


def _effect(column: Column) -> Guard:
    assert column.lora is not None
    return Guard(
        "ok",
        f"{column.lora} changes pictures {column.lora.effect:.1f} times as much as another seed "
        "does.",
    )


def _faces(column: Column) -> Guard:
    cells = [cell for seeds in column.cells.values() for cell in seeds]
    faceless = sum(cell.identity is None for cell in cells)
    if faceless:
        return Guard("warn", f"No face was found in {faceless} of {len(cells)} pictures.")
    return Guard("ok", f"A face was found in all {len(cells)} pictures.")


def _not_measured() -> Guard:
    return Guard(
        "warn",
        "Not measured yet: copies of training pictures, and whether other people stay themselves.",
    )
