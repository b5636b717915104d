"""The trainer as a command, in a process that could not import Django if it wanted to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.engines.conftest import tiny_job

WITHOUT_DJANGO = (
    "import runpy, sys; sys.modules['django'] = None; "
    "runpy.run_module('training.engines.train', run_name='__main__', alter_sys=True)"
)


@pytest.fixture
def job_file(flux_base: Path, tmp_path: Path, pictures: list[Path]) -> Path:
    """As a person writes it: paths from where it lies, nothing that may be left out."""
    job = tiny_job(flux_base, tmp_path, pictures, family="flux", checkpoint_every=2)
    here = tmp_path / "job.json"
    examples = [
        {
            "id": example.id,
            "image": os.path.relpath(example.image, tmp_path),
            "caption": example.caption,
        }
        for example in job.examples
    ]
    said = {"recipe": asdict(job.recipe), "base": os.path.relpath(flux_base, tmp_path),
            "folder": "made", "examples": examples, "device": "cpu", "threads": 1}  # fmt: skip
    here.write_text(json.dumps(said))
    return here


def begun(job: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WITHOUT_DJANGO, job.name],
        cwd=job.parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, _ = process.communicate()
    return [json.loads(line) for line in out.splitlines()]


def test_command_trains_without_django_and_without_standard_input(job_file: Path) -> None:
    process = begun(job_file)
    events = said(process)
    made = job_file.parent / "made" / "lora.safetensors"
    assert (process.returncode, events[-1]["event"]) == (0, "done")
    assert Path(events[-1]["file"]) == made
    assert made.is_file()


def test_ctrl_c_stops_behind_a_checkpoint_and_the_same_command_goes_on(job_file: Path) -> None:
    settings = json.loads(job_file.read_text())
    settings["recipe"] |= {"steps": 400, "checkpoint_every": 400}
    job_file.write_text(json.dumps(settings))
    process = begun(job_file)
    assert process.stdout is not None
    first = next(line for line in process.stdout if '"step"' in line)
    process.send_signal(signal.SIGINT)
    events = said(process)
    assert (process.returncode, events[-1]["event"]) == (0, "stopped")
    reached = events[-2]["step"]
    assert json.loads(first)["step"] <= reached < 400
    again = begun(job_file)
    assert again.stdout is not None
    assert json.loads(next(line for line in again.stdout if '"step"' in line))["step"] > reached
    again.send_signal(signal.SIGINT)
    said(again)


def test_file_that_is_no_job_is_a_sentence(tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text('{"recipe": {"family": "flux", "stepz": 3}}')
    process = begun(job)
    _, complaint = process.communicate()
    assert process.returncode == 1
    assert "cannot be read" in complaint
    assert "stepz" in complaint
    assert "Traceback" not in complaint
