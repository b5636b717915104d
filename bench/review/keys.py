"""Ten decisions a second, faster than anybody looks: nothing is lost, doubled or out of order."""

from __future__ import annotations

from bench.review import chromium
from bench.review.chromium import Seen
from bench.review.effort import Effort
from bench.review.pictures import store
from bench.review.rows import Row
from bench.review.serving import served
from bench.review.stock import character, fill, members
from curation.models import Batch, Decision, Image

RATE = 10
SECONDS = 120.0
DISTINCT = 60
"""Pictures drawn; the others share their files."""


def measure(effort: Effort) -> list[Row]:
    """As many keys as pictures: the desk runs dry with the last of them."""
    count = round(RATE * effort.seconds(SECONDS))
    juno = character()
    reviewer, *_ = members(juno, 1)
    batch = fill(juno, count)
    store(list(Image.objects.order_by("pk")), distinct=min(DISTINCT, count))
    with served() as site:
        seen = chromium.accept(site, reviewer, batch, rate=RATE, count=count)
    return [stored(seen, batch, count)]


def stored(seen: Seen, batch: Batch, count: int) -> Row:
    """In the order of the keys: the n-th row is about the picture that the n-th key was about.

    A key that finds the desk empty, while more pictures are on their way, decides nothing.
    """
    rows = Decision.objects.filter(item__batch=batch).order_by("pk")
    items = list(rows.values_list("item", flat=True))
    decided = [item for item in seen.pressed if item is not None]
    figures = {
        "stored": len(items),
        "lost": len(set(decided) - set(items)),
        "doubled": len(items) - len(set(items)),
        "keys at an empty desk": count - len(decided),
    }
    is_in_order = items == decided
    told = ", ".join(f"{number:,} {name}" for name, number in figures.items())
    told += f", {'in' if is_in_order else 'NOT in'} order, in {seen.seconds:.0f} s"
    return Row(
        f"Chromium, SQLite: {RATE} keys/s, stored once and in order",
        f"all {count:,}",
        told,
        is_in_order and len(set(items)) == len(items) == count,
        figures | {"in order": is_in_order, "seconds": round(seen.seconds, 1)},
    )
