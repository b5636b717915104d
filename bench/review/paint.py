"""From a key to the next picture on the screen, at a person's pace."""

from __future__ import annotations

from bench.review import chromium
from bench.review.chromium import Seen
from bench.review.effort import Effort
from bench.review.pictures import store
from bench.review.rows import Row, in_words, quantiles
from bench.review.serving import served
from bench.review.stock import character, fill, members
from curation.models import Image

RATE = 5
SECONDS = 30.0
SPARE = 50
"""Pictures more than keys."""
SHORTEST = 16.0
"""Milliseconds: what the browser does not tell of took less, and counts as this."""


def measure(effort: Effort) -> list[Row]:
    count = round(RATE * effort.seconds(SECONDS))
    juno = character()
    reviewer, *_ = members(juno, 1)
    batch = fill(juno, count + SPARE)
    pictures = list(Image.objects.order_by("pk"))
    weights = store(pictures, distinct=len(pictures))
    with served() as site:
        seen = chromium.accept(site, reviewer, batch, rate=RATE, count=count)
    return [paint(seen, count), ready(seen, count, weights)]


def paint(seen: Seen, count: int) -> Row:
    untold = max(count - len(seen.durations), 0)
    found = quantiles([ms / 1000 for ms in [*seen.durations, *[SHORTEST] * untold]])
    told = f"{in_words(found)}; {untold} of them below 16 ms, counted as 16"
    holds = found["p50"] <= 33 and found["p95"] <= 100
    name = f"Chromium, SQLite: key to paint, {RATE} keys/s"
    return Row(name, "p50 <= 33, p95 <= 100 ms", told, holds, found | {"counted as 16": untold})


def ready(seen: Seen, count: int, weights: list[float]) -> Row:
    shown = sum(seen.ready)
    lightest, heaviest = min(weights), max(weights)
    told = f"{shown} of {count}, of {lightest:.0f}-{heaviest:.0f} kB each"
    figures = {"ready": shown, "keys": count, "kB": [round(lightest), round(heaviest)]}
    name = "Chromium, SQLite: the next picture was loaded when painted"
    return Row(name, "every one", told, shown == count, figures)
