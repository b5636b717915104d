"""pack.json: what a pack is, how to use it, whom it was trained on, and its files' hashes.

Knows no models; the same for every kind of pack.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from paperdolls.people import Identity

MANIFEST = "pack.json"
IDENTITIES = "identities.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The facts of a pipeline's pack; `guidance` is embedded, `true_cfg` costs a second pass."""

    name: str
    kind: str
    title: str
    steps: int
    guidance: float
    true_cfg: float
    max_sequence_length: int
    recipe: dict[str, object]
    losses: dict[str, float]
    seed: int
    size: int = 96
    licence: str = "Apache-2.0"


def write_manifest(manifest: Manifest, folder: Path, people: Iterable[Identity]) -> None:
    """Write both lists beside the weights, hashing every other file of the folder."""
    codes = sorted({person.code for person in people})
    (folder / IDENTITIES).write_text("\n".join(codes) + "\n")
    facts = asdict(manifest) | {"identities": IDENTITIES, "files": file_hashes(folder)}
    (folder / MANIFEST).write_text(json.dumps(facts, indent=2) + "\n")


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 by relative path of all files but the manifest, sorted."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
