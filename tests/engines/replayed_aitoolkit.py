"""Stands in for ai-toolkit's run.py: plays back what its code writes, at 27a03a91 (2026-08-21).

It has never been compared with the real thing at work. It reads the configuration, keeps the same
database rows, loss log, checkpoints and samples under the same names, polls the same flags in the
same order, resumes from the newest file, and gives `weights.safetensors` beside it as what it made.
`behaviour.json` beside it: {"seconds": a step's, "zero_at": a step, "fail_at": a step, "says"}.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).parent
BEHAVIOUR: dict[str, Any] = {}


class Trainer:
    def __init__(self, config: dict[str, Any]) -> None:
        process = config["config"]["process"][0]
        self.name = config["config"]["name"]
        self.train, self.save_config = process["train"], process["save"]
        self.sample_config = process["sample"]
        self.root = Path(process["training_folder"], self.name)
        self.root.mkdir(parents=True, exist_ok=True)
        self.job_id = os.environ["AITK_JOB_ID"]
        assert Path(process["sqlite_db_path"]).exists(), "it would report nothing"
        self.jobs = sqlite3.connect(process["sqlite_db_path"], timeout=30, isolation_level=None)
        assert process["logging"]["use_ui_logger"]
        self.losses = self.loss_log()
        self.step = self.start = self.newest_step()

    def loss_log(self) -> sqlite3.Connection:
        log = sqlite3.connect(self.root / "loss_log.db", timeout=30, isolation_level=None)
        log.execute("PRAGMA journal_mode=WAL;")
        log.execute(
            "CREATE TABLE IF NOT EXISTS steps (step INTEGER PRIMARY KEY, wall_time REAL NOT NULL)"
        )
        log.execute(
            "CREATE TABLE IF NOT EXISTS metrics (step INTEGER NOT NULL, key TEXT NOT NULL, "
            "value_real REAL, value_text TEXT, PRIMARY KEY (step, key), "
            "FOREIGN KEY (step) REFERENCES steps(step) ON DELETE CASCADE)"
        )
        return log

    def newest_step(self) -> int:
        files = list(self.root.glob(f"{self.name}*.safetensors"))
        if not files:
            return 0
        with safe_open(max(files, key=os.path.getctime), "np") as newest:
            return int(json.loads(newest.metadata()["training_info"])["step"])

    def status(self, status: str, info: str) -> None:
        self.jobs.execute(
            "UPDATE Job SET status = ?, info = ? WHERE id = ?", (status, info, self.job_id)
        )

    def flag(self, name: str) -> bool:
        flags = self.jobs.execute("SELECT stop, save_now FROM Job WHERE id = ?", (self.job_id,))
        return bool(dict(zip(("stop", "save_now"), flags.fetchone(), strict=True))[name])

    def maybe_stop(self) -> None:
        if self.flag("stop"):
            self.status("stopped", "Job stopped")
            raise SystemExit("Job stopped")

    def save(self, step: int | None) -> None:
        self.maybe_stop()
        self.status("running", "Saving model")
        time.sleep(BEHAVIOUR.get("seconds", 0))
        number = "" if step is None else f"_{step:09}"
        info = {"training_info": json.dumps({"step": self.step, "epoch": 0}), "format": "pt"}
        path = self.root / f"{self.name}{number}.safetensors"
        save_file(load_file(HERE / "weights.safetensors"), path, info)
        (self.root / "optimizer.pt").write_bytes(b"torch")
        older = sorted(self.root.glob(f"{self.name}_*.safetensors"), key=os.path.getctime)
        for path in older[: -self.save_config["max_step_saves_to_keep"]]:
            path.unlink()
        self.maybe_stop()
        self.status("running", "Training")

    def sample(self) -> None:
        if self.train["disable_sampling"]:
            return
        (self.root / "samples").mkdir(exist_ok=True)
        asked = self.sample_config["samples"]
        for index, _ in enumerate(asked):
            self.status("running", f"Generating images - {index + 1}/{len(asked)}")
            name = f"{int(time.time() * 1000)}__{self.step:09}_{index}.jpg"
            Image.new("RGB", (32, 32), (self.step % 256, 0, 0)).save(self.root / "samples" / name)
        self.status("running", "Training")

    def log(self, loss: float) -> None:
        self.losses.execute("INSERT OR REPLACE INTO steps VALUES (?, ?)", (self.step, time.time()))
        for key, value in (("learning_rate", 1e-4), ("loss/loss", loss)):
            self.losses.execute(
                "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, NULL)", (self.step, key, value)
            )
        sys.stdout.write(f"\r{self.name}: {self.step} lr: 1.0e-04 loss: {loss:.3e}")

    def run(self) -> None:
        self.status("running", "Loading model")
        self.maybe_stop()
        self.status("running", "Training")
        for step in range(self.start, self.train["steps"]):
            time.sleep(BEHAVIOUR.get("seconds", 0))
            if step == BEHAVIOUR.get("fail_at"):
                self.status("error", BEHAVIOUR["says"])
                raise RuntimeError(BEHAVIOUR["says"])
            if step != self.start:
                if step % self.save_config["save_every"] == 0:
                    self.save(step)
                if step % self.sample_config["sample_every"] == 0:
                    self.sample()
                self.log(0.0 if step == BEHAVIOUR.get("zero_at") else 1 / (step + 1))
            self.step = step + 1
            self.jobs.execute("UPDATE Job SET step = ? WHERE id = ?", (self.step, self.job_id))
            self.maybe_stop()
            if self.flag("save_now"):
                self.jobs.execute("UPDATE Job SET save_now = 0 WHERE id = ?", (self.job_id,))
                self.save(self.step)
        self.save(None)
        self.sample()
        self.status("completed", "Training completed")


if __name__ == "__main__":
    with Path("attempts").open("a") as attempts:
        attempts.write(f"{os.getpid()}\n")
    BEHAVIOUR |= json.loads((HERE / "behaviour.json").read_text())
    Trainer(json.loads(Path(sys.argv[1]).read_text())).run()
