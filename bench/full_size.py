"""`python -m bench.full_size OUT`: the 12- and 20-billion bases on one GPU, in under ten minutes.

Random weights of the real architectures, made on the card. Each row of docs/performance.md is
printed as soon as it is known, and OUT gets full_size.json and full_size.md after every one; a row
that fails says why and the next one comes. Memory is what torch reserved at its peak and 0.6 GB
for the context, under a cap of 24 GB; a gigabyte is 10**9 bytes. With --tiny every line of this
runs anywhere, and what it prints means nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from bench.full_size_rows import (
    Bench,
    against_plain,
    compiled,
    drawing,
    every_plan,
    product_rate,
    training,
)

SECONDS = 540
"""No row is begun later than this."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, what it must reach, and what came out."""

    what: str
    goal: str
    measure: Callable[[Bench], str]


TABLE = (
    Row("a 16-bit product of 8192 x 8192", "the floor's rate", product_rate),
    Row("FLUX bf16, rank 16, 512 x 768", "at most 21 GB", training("flux", 512, 768)),
    Row("FLUX bf16, rank 16, 1024 x 1024", "under 24 GB, at least 55 %",
        training("flux", 1024, 1024)),
    Row("FLUX NF4, rank 16, 512 x 768", "at most 7.5 GB", training("flux", 512, 768, "nf4")),
    Row("FLUX NF4, rank 16, 1024 x 1024", "at most 11 GB", training("flux", 1024, 1024, "nf4")),
    Row("Qwen-Edit NF4, rank 16, pair of 832 x 576", "at most 13 GB",
        training("qwen-edit", 832, 576, "nf4")),
    Row("Qwen-Edit NF4, rank 16, pair of 1024 x 1024", "under 20 GB",
        training("qwen-edit", 1024, 1024, "nf4")),
    Row("FLUX bf16 draws 1024 x 1024", "at most 21 GB", drawing("flux", "none")),
    Row("Qwen-Edit fp8 edits 1024 x 1024", "at most 20 GB", drawing("qwen-edit", "fp8")),
    Row("FLUX bf16 step at 512 x 768 against a plain PEFT loop", "at least 1.3x, within 1e-3",
        against_plain("flux", 512, 768)),
    Row("FLUX bf16 step at 1024 x 1024 against a plain PEFT loop", "at least 1.3x, within 1e-3",
        against_plain("flux", 1024, 1024)),
    Row("Qwen-Edit NF4 step at 832 x 576 against a plain PEFT loop", "at least 1.3x, within 1e-3",
        against_plain("qwen-edit", 832, 576, "nf4")),
    Row("every memory plan on tiny pipelines", "under 3", every_plan),
    Row("FLUX fp8, rank 16, 1024 x 1024", "", training("flux", 1024, 1024, "fp8")),
    Row("Qwen-Edit fp8, rank 16, pair of 1024 x 1024", "",
        training("qwen-edit", 1024, 1024, "fp8")),
    Row("FLUX bf16, 1024 x 1024, blocks compiled", "", compiled("flux", 1024, 1024)),
)  # fmt: skip


def measured(bench: Bench, row: Row) -> str:
    """What a row says; what goes wrong in one must not cost the others."""
    bench.forget()
    try:
        return row.measure(bench)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        return f"failed: {type(error).__name__}: {str(error).splitlines()[0][:120]}"


def conditions(bench: Bench) -> dict[str, str]:
    on_gpu = bench.device.type == "cuda"
    packages = ("torch", "diffusers", "peft", "bitsandbytes", "transformers")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": torch.cuda.get_device_name() if on_gpu else platform.processor() or "CPU",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "command": "python -m bench.full_size " + " ".join(sys.argv[1:]),
    }


def write(folder: Path, facts: dict[str, str], rows: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"conditions": facts, "rows": rows}
    (folder / "full_size.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    lines = ["| what | at least | measured |", "|---|---|---|"]
    lines += [f"| {row['what']} | {row['goal']} | {row['measured']} |" for row in rows]
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    (folder / "full_size.md").write_text("\n".join([*lines, "", told, ""]), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    if not (options.tiny or torch.cuda.is_available()):
        sys.stdout.write("There is no CUDA GPU here. Run this on one, or with --tiny anywhere.\n")
        return 1
    bench, rows, began = Bench(options.tiny), list[dict[str, str]](), time.monotonic()
    facts = conditions(bench)
    for row in TABLE:
        late = time.monotonic() - began > SECONDS
        said = "not measured: no time left" if late else measured(bench, row)
        rows.append({"what": row.what, "goal": row.goal, "measured": said})
        spent = time.monotonic() - began
        sys.stdout.write(f"{spent:4.0f} s  {row.what:60} {row.goal:28} {said}\n")
        sys.stdout.flush()
        write(options.out, facts, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
