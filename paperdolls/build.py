"""Rebuilds every pack: `python -m paperdolls.build`, on CUDA where there is one.

Each part goes on from its own checkpoint in `--work`, so a build that was stopped can be run
again. Hours on two CPU cores, minutes on a GPU.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from paperdolls import eyes, flux_pack, qwen


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/paperdolls"))
    parser.add_argument("--packs", type=Path, default=Path("packs"))
    chosen = parser.parse_args(arguments)
    work = str(chosen.work)
    flux_pack.main(["--work", work, "--out", str(chosen.packs / "flux")])
    qwen.main(["--work", work, "--out", str(chosen.packs / "qwen-edit")])
    # Last, because readers learn from drawings that went through both autoencoders.
    eyes.main(["--work", work, "--packs", str(chosen.packs)])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    main()
