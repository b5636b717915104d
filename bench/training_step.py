"""`make bench-train`: a step of this trainer beside one of a plain PEFT loop, on this machine.

At a size that any CPU bears, so that a change for the worse shows without a GPU. Same base, batch,
noise and timesteps; the sides take turns, so that a busy machine slows both. What a GPU gains is
measured by bench.full_size.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import torch

from bench.sides import Ours, Plain, Task, small
from training.engines.base import Family

FAMILIES: tuple[Family, ...] = ("flux", "qwen-edit")


def compare(
    task: Task, steps: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float, float]:
    """Median seconds of our step and of theirs, and the largest relative gap between losses."""
    sides: dict[str, Ours | Plain] = {"ours": Ours(task, steps), "plain": Plain(task, steps)}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    gap = 0.0
    for step in range(steps):
        losses = {}
        for name, side in sides.items():
            began = clock()
            losses[name] = side.step(step)
            seconds[name].append(clock() - began)
        gap = max(gap, abs(losses["ours"] / losses["plain"] - 1))
    # The first steps prepare: here modulation is computed for all of them.
    return median(seconds["ours"][2:]), median(seconds["plain"][2:]), gap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sys.stdout.write(
        "| base, one CPU thread | ours, s a step | plain PEFT, s a step | speed | losses differ |\n"
        "|---|---|---|---|---|\n"
    )
    for family in FAMILIES:
        task = Task(
            family=family,
            config=small(family),
            width=options.side,
            height=options.side,
            device=torch.device("cpu"),
        )
        ours, plain, gap = compare(task, options.steps, time.process_time)
        row = f"| {family} | {ours:.3f} | {plain:.3f} | {plain / ours:.2f}x | {gap:.1e} |\n"
        sys.stdout.write(row)


if __name__ == "__main__":
    main()
