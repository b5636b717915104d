"""`python -m bench.review.measure NAME FILE [--quick]`: one measurement over the installation that
the environment names, which must be empty. Its rows go to FILE as JSON.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import django
from django.core.management import call_command

django.setup()

from bench.review import doubles, flat, grid, keys, load, paint, statements  # noqa: E402
from bench.review.effort import Effort  # noqa: E402
from bench.review.stock import database  # noqa: E402

MEASURE = {
    "load": load.measure,
    "statements": statements.measure,
    "flat": flat.measure,
    "doubles": doubles.measure,
    "paint": paint.measure,
    "keys": keys.measure,
    "grid": grid.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MEASURE)
    parser.add_argument("file", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    rows = MEASURE[options.name](Effort(options.quick))
    found = {"database": database(), "rows": [asdict(row) for row in rows]}
    options.file.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
