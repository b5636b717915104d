"""Which code this is: what git calls it, else the package's version."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def code_version() -> str:
    """Such as `v0.1.0-12-g3d11d65`, with `-dirty` where files were changed since."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"]
        told = subprocess.run(command, capture_output=True, text=True)
        if told.returncode == 0:
            return told.stdout.strip()
    return version("flenwheel")
