"""What the review of a batch costs and what it keeps: by gate, likeness, shot, LoRA and recipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Floor

from curation.models import Batch, Choice, Decision, Gate, ReviewItem, Verdict

LONGEST_LOOK = 60.0
"""Seconds; whoever looked longer did something else meanwhile."""
STEP = 0.05
"""Width of a bin of the likeness, cosine."""
RECIPE = tuple(
    f"image__provenance__{setting}"
    for setting in ("steps", "true_cfg", "loras__0__strength", "background")
)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the decided pictures of one kind were accepted."""

    name: str
    decided: int
    accepted: int

    @property
    def percent(self) -> int:
        return round(100 * self.accepted / self.decided)


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    rows: list[Share]


@dataclass(frozen=True, slots=True)
class Pace:
    """Human time: looks are counted up to a minute each; None where nobody was timed."""

    minutes: float
    accepted_a_minute: float | None
    minutes_left: float | None


def pace(batch: Batch, waiting: int) -> Pace:
    """Two queries. An accepted picture's minutes are everybody's, those of rejections and of second
    opinions included."""
    said = Decision.objects.filter(item__batch=batch).exclude(choice=Choice.UNDO)
    looks = [
        min(seconds or 0.0, LONGEST_LOOK)
        for seconds in said.exclude(seconds=None).values_list("seconds", flat=True)
    ]
    if not sum(looks):
        return Pace(0.0, None, None)
    minutes = sum(looks) / 60
    accepted = said.filter(choice=Choice.ACCEPT, undone_by=None, is_opinion=False)
    kept = accepted.exclude(seconds=None).count()
    return Pace(minutes, kept / minutes, waiting * median(looks) / 60)


def tables(batch: Batch) -> list[Table]:
    """One query each. By likeness, too: it shows what another line of the gate would keep. Those
    judged blind once more: whoever saw the gate's opinion may have followed it."""
    items = ReviewItem.objects.filter(batch=batch, image__trashed_at=None)
    decided = items.exclude(image__verdict=Verdict.PENDING)
    unswayed = Decision.objects.current().filter(is_blind=True, is_opinion=False)
    blind = decided.filter(Exists(unswayed.filter(item=OuterRef("pk"))))
    recipes = _shares(decided, _recipe, *RECIPE)
    return [
        Table("By the gate's opinion", _shares(decided, _gate, "gate")),
        Table("By the gate's opinion, judged blind", _shares(blind, _gate, "gate")),
        Table("By likeness to the photos", _by_likeness(decided)),
        Table("By view", _shares(decided, _word, "image__view")),
        Table("By expression", _shares(decided, _word, "image__expression")),
        Table("By pose", _shares(decided, _word, "image__pose")),
        Table("By LoRA", _shares(decided, _lora, "image__provenance__loras")),
        Table("By recipe", recipes if len(recipes) > 1 else []),
    ]


def _shares(items: QuerySet[ReviewItem], name: Callable[..., str], *fields: str) -> list[Share]:
    accepted = Count("pk", filter=Q(image__verdict=Verdict.ACCEPTED))
    counted = items.values(*fields).annotate(decided=Count("pk"), accepted=accepted)
    rows = counted.order_by(*fields).values_list(*fields, "decided", "accepted")
    return [Share(name(*values), decided, kept) for *values, decided, kept in rows]


def _by_likeness(items: QuerySet[ReviewItem]) -> list[Share]:
    binned = items.exclude(score=None).annotate(bin=Floor(F("score") / STEP))
    return _shares(binned, lambda at: f"{at * STEP:.2f} to {(at + 1) * STEP:.2f}", "bin")


def _gate(gate: str) -> str:
    return Gate(gate).label


def _word(word: str) -> str:
    return word or "unknown"


def _lora(loras: Any) -> str:
    """The names in a picture's provenance; JSON comes as text or parsed, as the database likes."""
    found = json.loads(loras) if isinstance(loras, str) else loras
    names = [str(one.get("name", "")) for one in found or []]
    return ", ".join(names) or "none"


def _recipe(steps: Any, true_cfg: Any, strength: Any, background: Any) -> str:
    """What the run's recipe said of its own, in words."""
    words = {
        f"{steps} steps": steps,
        f"true CFG {true_cfg}": true_cfg,
        f"LoRA at {strength}": strength,
        f"{background} background": background,
    }
    return ", ".join(word for word, value in words.items() if value is not None) or "as usual"
