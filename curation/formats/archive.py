"""Our own archive of a dataset: pictures, and what made them, whose children they are, what people
said of them.

    manifest.json   see `write`
    pictures/       the files

Authors stand in it only where somebody ticked so. What people decided elsewhere is told, not taken
over: here somebody looks again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Prefetch

from curation.formats.pieces import Dataset, Piece
from curation.formats.reading import Contents, Found, Line, beside, parsed
from curation.models import Decision, Image

MANIFEST = "manifest.json"
LAYOUT = "flenwheel-dataset/1"
FACTS = ("view", "expression", "pose", "clothes", "background", "provenance", "depth")


def write(dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    """Parents are named by file, or by SHA-256 where they are not in the archive. A part of a
    picture is told by its box in the whole one."""
    known = _with_lineage(dataset)
    names: dict[int, str] = {}
    for name, piece, data in dataset.files(whole=True):
        names[piece.image.pk] = path = f"pictures/{name}"
        yield path, data
    subject, snapshot = dataset.subject, dataset.snapshot
    manifest = {
        "layout": LAYOUT,
        "subject": {
            "name": subject.name,
            "kind": subject.kind,
            "instance_prompt": subject.instance_prompt,
            "class_prompt": subject.class_prompt,
        },
        "snapshot": snapshot and {"sha256": snapshot.sha256, "note": snapshot.note},
        "images": [
            _entry(piece, known[piece.image.pk], names, dataset)
            for piece in dataset.pieces
            if piece.image.pk in names
        ],
    }
    yield MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode()


def _with_lineage(dataset: Dataset) -> dict[int, Image]:
    """The same pictures with parents, tags and decisions: as many queries whatever the number."""
    said = Decision.objects.select_related("author").order_by("pk")
    images = Image.objects.filter(pk__in=[piece.image.pk for piece in dataset.pieces])
    return images.prefetch_related(
        "parents", "tags", Prefetch("review_item__decisions", said)
    ).in_bulk()


def _entry(
    piece: Piece, image: Image, names: Mapping[int, str], dataset: Dataset
) -> dict[str, Any]:
    return {
        "file": names[image.pk],
        "sha256": image.sha256,
        "origin": image.origin,
        "caption": piece.caption,
        "weight": piece.weight,
        "crop": piece.crop,
        "verdict": image.verdict,
        **{fact: getattr(image, fact) for fact in FACTS},
        "parents": [names.get(p.pk, p.sha256) for p in image.parents.all()],
        "tags": [tag.name for tag in image.tags.all()],
        "decisions": [_said(decision, dataset) for decision in _decisions(image)],
    }


def _decisions(image: Image) -> list[Decision]:
    item = getattr(image, "review_item", None)
    return list(item.decisions.all()) if item else []


def _said(decision: Decision, dataset: Dataset) -> dict[str, Any]:
    told = {
        "choice": decision.choice,
        "reasons": decision.reasons,
        "at": decision.created_at.isoformat(),
    }
    if dataset.names is not None:
        told["by"] = dataset.names.get(decision.author, "")
    return told


def read(contents: Contents) -> Found | None:
    """The pictures in the order of their generations, parents as names of entries."""
    for name in contents.named(MANIFEST):
        manifest = parsed(contents.text(name))
        if isinstance(manifest, dict) and manifest.get("layout") == LAYOUT:
            rows = [
                row
                for row in _list(manifest.get("images"))
                if isinstance(row, dict) and not row.get("crop")
            ]
            lines = {beside(name, row.get("file")): _line(name, row) for row in rows}
            return Found("an archive of FLENwheel", lines)
    return None


def _line(name: str, row: dict[str, Any]) -> Line:
    facts = {fact: row.get(fact) for fact in (*FACTS, "origin", "weight", "verdict", "decisions")}
    facts["parents"] = [beside(name, parent) for parent in _list(row.get("parents"))]
    facts["tags"] = [str(tag) for tag in _list(row.get("tags"))]
    caption = row.get("caption")
    is_of_the_class = row.get("origin") == "class"
    return Line(caption if isinstance(caption, str) else "", (), is_of_the_class, facts)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
