"""Hugging Face's image folder: `load_dataset("imagefolder")`, the diffusers training scripts.

    train/metadata.jsonl   file_name, text
    train/0001.jpg         the files

See https://huggingface.co/docs/datasets/image_dataset. It has no place for weights nor for
pictures of the class: those are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from curation.formats.pieces import Dataset
from curation.formats.reading import Contents, Found, Line, beside

METADATA = "metadata.jsonl"
WORDS = ("text", "caption", "prompt")
"""Columns that hold the caption, in the order in which they are looked for."""


def write(dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    lines = []
    for name, piece, data in dataset.files():
        if not piece.is_of_the_class:
            yield f"train/{name}", data
            row = {"file_name": name, "text": piece.caption}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    yield f"train/{METADATA}", "".join(lines).encode()


def read(contents: Contents) -> Found | None:
    lines = {
        beside(name, row["file_name"]): Line(_words(row))
        for name in contents.named(METADATA)
        for row in contents.rows(name)
        if "file_name" in row
    }
    return Found("a Hugging Face image folder", lines) if lines else None


def _words(row: dict[str, object]) -> str:
    return next((str(row[key]) for key in WORDS if isinstance(row.get(key), str)), "")
