"""Bases and runs that tests start from."""

from __future__ import annotations

from typing import Any

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
