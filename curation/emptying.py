"""Empty the trash: delete for good what nothing needs any more.

Rows go here, in short transactions; files go later, when `storage.sweep_files` finds that their
last row is gone. What other rows need stays, and is said: Django's own table of relations knows.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import PROTECT, ManyToOneRel, Model

from curation.models import Choice, Correction, Decision, Image, SnapshotItem, Subject
from curation.trashing import in_trash

CHUNK = 200
"""Pictures deleted in one transaction: others write in between."""

TRAINED = "a snapshot that LoRAs are trained on holds them"
LESSON = "a lesson for the editor needs them"
WORK = "a run began from them or a model card shows them"
PARENT = "other pictures were made from them"
WHY: dict[type[Model], str] = {SnapshotItem: TRAINED, Correction: LESSON}


@dataclass(frozen=True, slots=True)
class Fate:
    """Keys of what would go, newest first, and what would stay: why, and how many."""

    going: list[int]
    staying: dict[str, int]


def fate(subject: Subject, seen: dt.datetime) -> Fate:
    """What emptying the trash as it was `seen` would do now. A fixed number of queries."""
    lying = set(in_trash(subject, seen).values_list("pk", flat=True))
    needed = _needed(subject, seen)
    needed |= _parents(subject, seen, lying, needed)
    return Fate(sorted(lying - needed.keys(), reverse=True), dict(Counter(needed.values())))


def _needed(subject: Subject, seen: dt.datetime) -> dict[int, str]:
    lying = in_trash(subject, seen).values("pk")
    needed: dict[int, str] = {}
    for model, column in _holders():
        rows = model._default_manager.filter(**{f"{column}__in": lying})
        for pk in rows.values_list(column, flat=True).distinct().order_by():
            needed.setdefault(pk, WHY.get(model, WORK))
    return needed


def _holders() -> Iterator[tuple[type[Model], str]]:
    """Every column that forbids to delete a picture, and the table of a lesson's candidates."""
    for relation in Image._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and relation.on_delete is PROTECT:
            yield relation.related_model, relation.field.name
    yield Correction.candidates.through, "image"


def _parents(
    subject: Subject, seen: dt.datetime, lying: set[int], needed: dict[int, str]
) -> dict[int, str]:
    """Lineage: what a picture that stays was made from stays, up to the photo."""
    made_from = Image.parents.through.objects.filter(to_image__in=in_trash(subject, seen))
    pairs = list(made_from.values_list("from_image", "to_image"))
    staying = set(needed)
    while more := {
        parent
        for child, parent in pairs
        if parent not in staying and (child in staying or child not in lying)
    }:
        staying |= more
    return dict.fromkeys(staying - needed.keys(), PARENT)


def empty(subject: Subject, seen: dt.datetime) -> int:
    """Delete it; give how many pictures went. Asked twice, the second time there is none."""
    gone = 0
    while count := _delete_some(subject, seen):
        gone += count
    return gone


@transaction.atomic
def _delete_some(subject: Subject, seen: dt.datetime) -> int:
    """Children come before what they were made from. What was put back meanwhile is spared."""
    wanted = fate(subject, seen).going[:CHUNK]
    lying = in_trash(subject, seen).select_for_update().filter(pk__in=wanted)
    pks = list(lying.values_list("pk", flat=True))
    # An undo protects the decision that it undoes, so undos go first.
    Decision.objects.filter(item__image__in=pks, choice=Choice.UNDO).delete()
    Image.objects.filter(pk__in=pks).delete()
    return len(pks)
