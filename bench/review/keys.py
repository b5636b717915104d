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
    """In the order of the keys: the n-th row is about the picture that the n-th key was about."""
    rows = Decision.objects.filter(item__batch=batch).order_by("pk")
    items = list(rows.values_list("item", flat=True))
    lost = len(set(seen.pressed) - set(items)) + seen.pressed.count(None)
    doubled = len(items) - len(set(items))
    is_in_order = items == seen.pressed
    told = f"{len(items):,} stored, {lost} lost, {doubled} doubled, "
    told += "in order" if is_in_order else "NOT in order"
    told += f"; {count:,} keys in {seen.seconds:.0f} s"
    return Row(
        f"Chromium: {RATE} keys/s, decisions stored once and in order",
        f"all {count:,}",
        told,
        len(items) == count and is_in_order and lost == doubled == 0,
        {"keys": count, "stored": len(items), "lost": lost, "doubled": doubled}
        | {"in order": is_in_order, "seconds": round(seen.seconds, 1)},
    )
