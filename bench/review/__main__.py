"""`python -m bench.review [--json FILE] [--only NAME ...] [--quick]`: measure the review desk and
compare with the goals.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.review.installing import POSTGRES, SQLITE, installation
from bench.review.machine import describe
from bench.review.rows import HEAD, Row

ROOT = Path(__file__).resolve().parent.parent.parent
BOTH = (SQLITE, POSTGRES)
PLAN = {
    "load": BOTH,
    "statements": BOTH,
    "flat": BOTH,
    "doubles": BOTH,
    "paint": (SQLITE,),
    "keys": (SQLITE,),
    "grid": (SQLITE,),
}
"""Measurement -> the databases over which it is taken."""
SHOWN = 160
"""Characters of a statement, its columns left out."""
COLUMNS = re.compile(r"(?<=^SELECT ).*?(?= FROM )")


def measure(name: str, database: str, *, quick: bool) -> tuple[list[Row], dict[str, str]]:
    """The rows, and the facts of the database. One that fails is a goal missed: others go on."""
    try:
        with installation(database) as environment:
            file = Path(environment["FLENWHEEL_VAR"], "rows.json")
            command = [sys.executable, "-m", "bench.review.measure", name, str(file)]
            command += ["--quick"] if quick else []
            subprocess.run(command, check=True, cwd=ROOT, env=environment)
            found = json.loads(file.read_text())
    except (OSError, subprocess.CalledProcessError) as error:
        return [Row(f"{name}, {database}", "to be measured", f"failed: {error}", holds=False)], {}
    return [Row(**row) for row in found["rows"]], found["database"]


def say(*lines: str) -> None:
    """At once, also into a file."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def facts(of: dict[str, str]) -> str:
    return ", ".join(f"{name} {fact}" for name, fact in of.items())


def spoken(rows: list[Row]) -> list[str]:
    """The statements that were counted, one a line under their row's name."""
    lines = []
    for row in rows:
        if statements := row.figures.get("statements"):
            lines += [row.name, *(f"    {COLUMNS.sub('…', sql)[:SHOWN]}" for sql in statements)]
    return lines


def run(names: list[str], *, quick: bool) -> dict[str, Any]:
    """Measure one after another and say each row when it is known."""
    started = time.monotonic()
    machine = describe()
    rows: list[Row] = []
    databases: dict[str, dict[str, str]] = {}
    say(facts(machine), "", HEAD)
    for name in names:
        for database in PLAN[name]:
            found, databases[database] = measure(name, database, quick=quick)
            rows += found
            say(*map(str, found))
    say("", *map(facts, databases.values()), "", *spoken(rows))
    return {
        "quick": quick,
        "machine": machine,
        "databases": databases,
        "rows": [asdict(row) for row in rows],
        "seconds": round(time.monotonic() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.review", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures here, too.")
    parser.add_argument("--only", nargs="+", choices=PLAN, default=list(PLAN), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="Small sizes, to try the bench.")
    options = parser.parse_args()
    found = run(options.only, quick=options.quick)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    say(f"{found['seconds']:.0f} s" + (f"; figures in {options.json}" if options.json else ""))


if __name__ == "__main__":
    main()
