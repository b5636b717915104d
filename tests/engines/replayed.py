"""A folder that looks like an ai-toolkit checkout and plays back what its code writes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.engines import replayed_aitoolkit


def replayed(folder: Path, weights: Path) -> Path:
    """Make it in `folder`; it will give `weights` as what it made, and our interpreter runs it."""
    checkout = folder / "ai-toolkit"
    python = checkout / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    shutil.copy(replayed_aitoolkit.__file__, checkout / "run.py")
    shutil.copy(weights, checkout / "weights.safetensors")
    behave(checkout)
    return checkout


def behave(checkout: Path, **how: Any) -> None:
    """See replayed_aitoolkit."""
    (checkout / "behaviour.json").write_text(json.dumps(how))
