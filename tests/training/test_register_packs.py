from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from training.models import BaseModel, Family


@pytest.fixture(autouse=True)
def packs(settings: Settings, tmp_path: Path) -> Path:
    settings.PACKS = tmp_path / "packs"
    for folder, kind in (("flux", "flux"), ("gate", "faces"), ("bench", "faces")):
        describe(settings.PACKS / folder, kind=kind)
    return settings.PACKS


def describe(folder: Path, *, kind: str, files: dict[str, str] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"title": f"Paper dolls: {folder.name}", "licence": "Apache-2.0", "kind": kind}
    (folder / "pack.json").write_text(json.dumps(facts | {"files": files or {"a": "0" * 64}}))


@pytest.mark.django_db
def test_packs_of_faces_serve_whom_their_folder_is_named_for() -> None:
    call_command("register_packs", verbosity=0)
    families = set(BaseModel.objects.values_list("folder", "family"))
    assert families == {
        ("flux", Family.FLUX),
        ("gate", Family.GATE),
        ("bench", Family.BENCH),
    }
    assert all(base.preferred and base.is_paper_doll for base in BaseModel.objects.all())


@pytest.mark.django_db
def test_a_rebuilt_pack_is_the_same_base_at_another_revision(packs: Path) -> None:
    call_command("register_packs", verbosity=0)
    before = BaseModel.objects.get(folder="flux")
    describe(packs / "flux", kind="flux", files={"a": "1" * 64})
    call_command("register_packs", verbosity=0)
    after = BaseModel.objects.get(folder="flux")
    assert after.pk == before.pk
    assert after.revision != before.revision


@pytest.mark.django_db
def test_what_an_operator_prefers_stays_preferred() -> None:
    real = BaseModel.objects.create(
        name="FLUX.1-dev", family=Family.FLUX, folder="/models/flux", preferred=True
    )
    call_command("register_packs", verbosity=0)
    assert BaseModel.objects.usable(Family.FLUX).first() == real
    assert not BaseModel.objects.get(folder="flux").preferred
