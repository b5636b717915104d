"""Which checkpoints stay, and what a folder of another version's is worth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.engines.conftest import Told, never, tiny_job
from training.engines.checkpoint import (
    Checkpoint,
    keep,
    kept,
    load_checkpoint,
    load_newest,
    save_checkpoint,
)
from training.engines.loop import train


def saved(folder: Path, *steps: int, count: int) -> None:
    for step in steps:
        weights = {"weight": torch.full((2,), float(step))}
        checkpoint = Checkpoint(
            step=step, adapter=weights, average={}, optimizer=weights, facts={"step": step}
        )
        save_checkpoint(folder, checkpoint, count)


def left(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("step-")) for path in folder.glob("step-*"))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_as_many_of_the_newest_stay_as_the_recipe_says(tmp_path: Path, count: int) -> None:
    saved(tmp_path, 1, 2, 3, 4, 5, count=count)
    assert left(tmp_path) == [1, 2, 3, 4, 5][-count:]


def test_the_one_to_keep_is_never_dropped_until_another_is(tmp_path: Path) -> None:
    saved(tmp_path, 1, count=1)
    keep(tmp_path, 1)
    saved(tmp_path, 2, 3, 4, count=1)
    assert left(tmp_path) == [1, 4]
    assert load_checkpoint(tmp_path, kept(tmp_path) or 0).facts == {"step": 1}
    newest = load_newest(tmp_path)
    assert newest is not None
    assert newest.step == 4
    keep(tmp_path, 4)
    saved(tmp_path, 5, count=1)
    assert left(tmp_path) == [4, 5]


def test_nothing_is_kept_before_it_is_said(tmp_path: Path) -> None:
    assert kept(tmp_path) is None


def test_a_training_keeps_as_many_as_its_recipe_says(
    flux_base: Path, tmp_path: Path, pictures: list[Path]
) -> None:
    options = {"checkpoint_every": 1, "keep_checkpoints": 3}
    train(tiny_job(flux_base, tmp_path, pictures, family="flux", **options), Told(), never)
    assert left(tmp_path / "checkpoints") == [2, 3, 4]


def test_a_training_begun_before_a_recipe_had_a_field_goes_on(
    flux_base: Path, tmp_path: Path, pictures: list[Path]
) -> None:
    job = tiny_job(flux_base, tmp_path, pictures, family="flux", checkpoint_every=2)
    train(job, Told(), never)
    for facts in (tmp_path / "checkpoints").glob("step-*/facts.json"):
        said = json.loads(facts.read_text())
        for later in ("ema", "bucket", "preservation", "timestep_shift"):
            del said["identity"]["recipe"][later]
        facts.write_text(json.dumps(said))
    again = Told()
    train(job, again, never)
    assert again.all("step") == []
    assert again.all("done")
