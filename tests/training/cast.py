"""Bases and runs that tests start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from curation.models import Subject
from training.models import BaseModel, Family, Run, RunKind


def make_base(family: str = Family.FLUX, folder: str = "flux", **facts: Any) -> BaseModel:
    facts.setdefault("preferred", True)
    return BaseModel.objects.create(
        name=f"paper dolls {folder}",
        family=family,
        folder=folder,
        licence="Apache-2.0",
        is_paper_doll=True,
        **facts,
    )


def make_run(subject: Subject | None, kind: str = RunKind.GENERATE, **facts: Any) -> Run:
    base = BaseModel.objects.first() or make_base()
    return Run.objects.create(kind=kind, subject=subject, base=base, **facts)


SHAPES = {
    "num_layers": 19,
    "num_single_layers": 38,
    "num_attention_heads": 24,
    "attention_head_dim": 128,
    "in_channels": 64,
    "joint_attention_dim": 4096,
}
"""Of FLUX.1-dev, by which its memory is estimated."""


def make_pipeline(folder: Path, name: str = "FluxPipeline") -> Path:
    """A folder in diffusers' layout, whole by its names and sizes."""
    index = {"_class_name": name, "transformer": ["diffusers", "X"], "safety": [None, None]}
    (folder / "transformer").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "transformer" / "config.json").write_text(json.dumps(SHAPES))
    save_file({"a": np.zeros(4)}, folder / "transformer" / "model.safetensors")
    return folder
