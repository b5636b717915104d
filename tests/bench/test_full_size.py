"""The measurement on a real card is right at the first try because all of it runs here, tiny."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.full_size import TABLE
from bench.sides import Ours, Plain, Task, tiniest
from bench.training_step import compare
from training.engines.base import Family

ROOT = Path(__file__).resolve().parents[2]


def task(family: Family) -> Task:
    config, cpu = tiniest(family), torch.device("cpu")
    return Task(family=family, config=config, width=64, height=48, device=cpu)


def measure(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.full_size", *arguments],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_row_is_measured_where_a_tiny_size_is_asked_for(tmp_path: Path) -> None:
    ended = measure(str(tmp_path), "--tiny")
    assert ended.returncode == 0, ended.stderr
    rows = json.loads((tmp_path / "full_size.json").read_text())["rows"]
    assert [row["what"] for row in rows] == [row.what for row in TABLE]
    assert not [row for row in rows if "failed" in row["measured"]], ended.stderr
    table = (tmp_path / "full_size.md").read_text()
    assert all(f"| {row.what} |" in table for row in TABLE)


def test_without_a_gpu_it_says_so_and_measures_nothing(tmp_path: Path) -> None:
    ended = measure(str(tmp_path / "out"))
    assert ended.returncode == 1
    assert "no CUDA GPU" in ended.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", ["flux", "qwen-edit"])
def test_both_sides_learn_the_same(family: Family) -> None:
    _, _, gap = compare(task(family), steps=3)
    assert gap < 1e-3


@pytest.mark.parametrize("family", ["flux", "qwen-edit"])
def test_the_floor_is_what_a_step_multiplies_but_for_its_lora_and_ends(family: Family) -> None:
    # Of few blocks the last one counts too much: its words lead nowhere and are not learned from.
    asked = task(family)
    asked = replace(asked, config=asked.config | {"num_layers": 6}, width=256, height=256)
    side = Ours(asked, steps=2)
    side.step(0)
    # Of the CPU's own attention the counter knows nothing.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        side.step(1)
    assert 0.8 < asked.floor / counter.get_total_flops() < 1


def test_the_plain_side_is_the_class_of_diffusers_with_all_its_weights() -> None:
    plain, ours = Plain(task("flux"), 1), Ours(task("flux"), 1)
    missing = {n for n, _ in plain.model.named_parameters()} - {
        n for n, _ in ours.model.named_parameters()
    }
    assert {name for name in missing if "norm1.linear" in name}
