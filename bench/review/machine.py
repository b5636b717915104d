"""On what the figures were measured."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("django", "granian", "psycopg", "playwright")


def describe() -> dict[str, str]:
    """By name. Figures mean little where much was going on before: `load before` is its average."""
    usable, total = len(os.sched_getaffinity(0)), os.cpu_count()
    return {
        "CPU": f"{cpu_model()}, {usable} of {total} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "Python": f"{platform.python_version()} in {sys.base_prefix}",
        **{package: version(package) for package in PACKAGES},
        "Chromium": chromium(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def chromium() -> str:
    program = shutil.which("chromium")
    if program is None:
        return "none"
    told = subprocess.check_output([program, "--version"], stderr=subprocess.DEVNULL, text=True)
    return told.removeprefix("Chromium ").split()[0]
