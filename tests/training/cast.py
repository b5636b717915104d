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


def make_pipeline(folder: Path, name: str = "FluxPipeline") -> Path:
    """A folder in diffusers' layout, whole by its names and sizes."""
    index = {"_class_name": name, "transformer": ["diffusers", "X"], "safety": [None, None]}
    (folder / "transformer").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    save_file({"a": np.zeros(4)}, folder / "transformer" / "model.safetensors")
    return folder
