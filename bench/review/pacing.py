"""Things that are due at fixed times, however long the ones before took."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator


def on_time(dues: Iterable[float]) -> Iterator[float]:
    """Give each due time (`time.perf_counter`) when it has come, at once where it is past."""
    for due in dues:
        time.sleep(max(due - time.perf_counter(), 0.0))
        yield due


def every(pause: float, count: int) -> list[float]:
    """`count` due times `pause` seconds apart, the first of them in half a second."""
    start = time.perf_counter() + 0.5
    return [start + number * pause for number in range(count)]
