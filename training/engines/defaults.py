"""How a folder of base weights draws where nobody says otherwise. Plain numbers; no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.engines.base import Family

HUB_DEFAULTS: dict[Family, dict[str, Any]] = {
    "flux": {"size": 1024, "steps": 28, "guidance": 3.5, "true_cfg": 1.0,
             "max_sequence_length": 512},
    "qwen-edit": {"size": 1024, "steps": 40, "guidance": 1.0, "true_cfg": 4.0,
                  "max_sequence_length": 512},
}  # fmt: skip
"""The settings of the model cards of FLUX.1-dev and Qwen-Image-Edit-2509 / -2511."""


def usual_settings(folder: Path, family: Family) -> dict[str, Any]:
    """The folder's own settings where its pack.json says some, else its authors'."""
    try:
        own = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        own = {}
    return {name: own.get(name, value) for name, value in HUB_DEFAULTS[family].items()}
