"""Open uploads in a child process with bounded memory and time.

A decoder that hangs, swells or crashes on hostile bytes takes that child down and nothing else.
Knows folders and facts; knows nothing of formats, subjects or rows.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
FACTS = "facts.json"

PATIENCE = 10.0
"""Seconds that one upload waits for another, and keeps a thread of the web process waiting."""

one_child = threading.Lock()


class Busy(Exception):
    """Other pictures are being opened, and go on being."""


@dataclass(frozen=True)
class Facts:
    """What opening a file told: its size in pixels and a note, or why it was refused."""

    width: int = 0
    height: int = 0
    note: str = ""
    refused: str = ""

    def write(self, folder: Path) -> None:
        (folder / FACTS).write_text(json.dumps(asdict(self)))

    @classmethod
    def take(cls, folder: Path) -> Facts:
        """Read the facts and leave none behind: they are no part of what is stored."""
        path = folder / FACTS
        facts = cls(**json.loads(path.read_text()))
        path.unlink()
        return facts


CRASHED = Facts(refused="cannot be opened: it takes too much memory or time.")


def open_apart(folders: Sequence[Path]) -> list[Facts]:
    """Decode `original` in every folder and write its picture and previews beside it.

    One child at a time, so that many uploads at once do not fill the machine.

    Raises:
        Busy: another one took longer than `PATIENCE`.
    """
    if not one_child.acquire(timeout=PATIENCE):
        raise Busy
    try:
        _open_all(list(folders))
    finally:
        one_child.release()
    return [Facts.take(folder) for folder in folders]


def _open_all(waiting: list[Path]) -> None:
    while waiting:
        _run_child(waiting)
        waiting = [folder for folder in waiting if not (folder / FACTS).exists()]
        if waiting:
            CRASHED.write(waiting.pop(0))


def _run_child(folders: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "curation.decoding", *map(str, folders)]
    child = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    if child.returncode:
        end = child.stderr[-2000:].decode(errors="replace")
        logger.warning("opening pictures ended with %s: %s", child.returncode, end)
