"""In what two runs differ: what they learned from or made, their recipe, and what they ran on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from curation.models import Image, Snapshot
from training.models import Run
from training.runs.artifacts import run_folder

ABSENT = "—"
TOLD_ELSEWHERE = ("recipe", "data", "effect")


@dataclass(frozen=True, slots=True)
class Line:
    """One named fact in the older and the newer run."""

    name: str
    older: str
    newer: str

    @property
    def differs(self) -> bool:
        return self.older != self.newer


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    lines: list[Line]

    @property
    def different(self) -> list[Line]:
        return [line for line in self.lines if line.differs]

    @property
    def alike(self) -> list[Line]:
        return [line for line in self.lines if not line.differs]


@dataclass(frozen=True, slots=True)
class Lesson:
    """How a snapshot shows one picture: every caption and weight, a part of it beside the whole."""

    image: Image
    captions: tuple[str, ...]
    weight: float
    is_held_out: bool


@dataclass(frozen=True, slots=True)
class Changed:
    older: Lesson
    newer: Lesson

    @property
    def says(self) -> str:
        """What is new about it, in words."""
        told = []
        if self.older.is_held_out != self.newer.is_held_out:
            told.append("held out" if self.newer.is_held_out else "no longer held out")
        elif self.older.weight != self.newer.weight:
            told.append(f"weight {self.older.weight:g} → {self.newer.weight:g}")
        if self.older.captions != self.newer.captions:
            told.append(f"“{'; '.join(self.older.captions)}” → “{'; '.join(self.newer.captions)}”")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Of two snapshots, by what happened to each picture."""

    added: list[Lesson]
    removed: list[Lesson]
    changed: list[Changed]
    num_alike: int

    @property
    def differ(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def pictures(older: Snapshot, newer: Snapshot) -> Pictures:
    """Two queries."""
    before, after = _lessons(older), _lessons(newer)
    both = [Changed(before[pk], after[pk]) for pk in after if pk in before]
    changed = [one for one in both if one.says]
    return Pictures(
        added=[lesson for pk, lesson in after.items() if pk not in before],
        removed=[lesson for pk, lesson in before.items() if pk not in after],
        changed=changed,
        num_alike=len(both) - len(changed),
    )


def _lessons(snapshot: Snapshot) -> dict[int, Lesson]:
    items = defaultdict(list)
    for item in snapshot.items.select_related("image").order_by("ordinal"):
        items[item.image_id].append(item)
    return {
        pk: Lesson(
            image=parts[0].image,
            captions=tuple(part.caption for part in parts),
            weight=round(sum(part.weight for part in parts), 4),
            is_held_out=all(part.held_out for part in parts),
        )
        for pk, parts in items.items()
    }


def tables(older: Run, newer: Run) -> list[Table]:
    """Everything that is a name and a value; no query where both runs came with what they name."""
    made = _made_with(older), _made_with(newer)
    return [
        Table("Made with", _lines(_facts(older), _facts(newer))),
        Table("Recipe", _lines(older.recipe, newer.recipe)),
        Table("Code, packages and what was kept", _lines(*made)),
    ]


def _facts(run: Run) -> dict[str, Any]:
    return {
        "base": run.base,
        "base's revision": run.base.revision,
        "LoRA": run.lora or run.foreign,
        "snapshot": run.snapshot and run.snapshot.sha256,
        "items": run.total,
    }


def _made_with(run: Run) -> dict[str, Any]:
    """What the training process wrote of itself beside its LoRA; nothing where there is no such
    file, as of a run that did not train."""
    path = run_folder(run) / "recipe.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in _flat(told) if key.split()[0] not in TOLD_ELSEWHERE}


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", value


def _lines(older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[Line]:
    return [
        Line(name, _word(older.get(name)), _word(newer.get(name)))
        for name in sorted(older.keys() | newer.keys())
    ]


def _word(value: Any) -> str:
    return ABSENT if value in (None, "") else str(value)
