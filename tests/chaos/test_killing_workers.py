from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("FLENWHEEL_CHAOS_SEED", "20"))


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What is there after workers were killed at random moments; the seed repeats them."""
    var = tmp_path_factory.mktemp("chaos")
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.drive", f"--seed={SEED}"],
        cwd=ROOT,
        env=os.environ
        | {
            "FLENWHEEL_VAR": str(var),
            "FLENWHEEL_LOG_LEVEL": "ERROR",
            "FLENWHEEL_TORCH_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, f"seed {SEED}: {done.stderr[-3000:]}"
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_workers_really_died(after: dict[str, object]):
    killed = after["killed"]
    assert isinstance(killed, dict)
    assert sum(killed.values()) >= 15
    assert all(killed.values())


def test_everything_finishes_though_workers_die(after: dict[str, object]):
    assert (after["statuses"], after["failures"]) == (["succeeded"], [])


def test_nothing_is_made_twice(after: dict[str, object]):
    assert after["made_twice"] == 0
    assert after["enriched"] == after["review_items"] == 26


def test_no_row_speaks_of_a_file_that_is_not_there(after: dict[str, object]):
    assert (after["files_missing"], after["lora_file"]) == (0, True)


def test_one_training_gives_one_lora_and_one_loss_a_step(after: dict[str, object]):
    assert after["loras"] == 1
    assert after["loss_steps"] == list(range(1, int(str(after["steps"])) + 1))


def test_every_cell_is_scored_once(after: dict[str, object]):
    assert (after["cells"], after["unscored"], after["scored_twice"]) == (40, 0, 0)
