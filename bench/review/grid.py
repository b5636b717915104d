"""How soon a page of the grid is there, in a batch of ten thousand, with nothing in the cache."""

from __future__ import annotations

from bench.review import chromium
from bench.review.effort import Effort
from bench.review.pictures import store
from bench.review.rows import Row, in_words, quantiles
from bench.review.serving import cookies_of, served
from bench.review.stock import character, fill, members
from curation.claiming import PAGE
from curation.models import ReviewItem

OPENINGS = 12


def measure(effort: Effort) -> list[Row]:
    juno = character()
    reviewer, *_ = members(juno, 1)
    count = effort.count(10_000, least=400)
    batch = fill(juno, count)
    # Each opening holds its page for two minutes, so the next one is given others.
    first = ReviewItem.objects.waiting().in_order().select_related("image")
    store([item.image for item in first[: PAGE * (OPENINGS + 1)]], distinct=PAGE)
    with served() as site:
        cookies = cookies_of(site, reviewer)
        chromium.open_grid(site, cookies, batch)  # The web process's own first time.
        took = [chromium.open_grid(site, cookies, batch) for _ in range(OPENINGS)]
    found = quantiles([ms / 1000 for ms in took])
    name = f"Chromium, SQLite: {PAGE} thumbnails of {count:,} painted, cold"
    return [Row(name, "p95 <= 300 ms", in_words(found), found["p95"] <= 300, found)]
