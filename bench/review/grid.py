"""How soon a page of the grid is there, in a batch of ten thousand: the first with nothing in the
cache, the first again, and each that follows when the one before it is settled.

Beside them a page that holds nothing but the same number of thumbnails, a request each: what the
machine and its browser take. The first opening of each is the processes' own first time, and counts
nowhere.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from bench.review import chromium
from bench.review.effort import Effort
from bench.review.pictures import store
from bench.review.rows import Row, in_words, quantiles
from bench.review.serving import cookies_of, served
from bench.review.stock import character, fill, members
from curation.models import Image, ReviewItem
from curation.reviewing.claiming import PAGE

OPENINGS = TURNS = 24
NEEDED = PAGE * (4 * OPENINGS + TURNS + 6)
BARE = "bare.html"


def measure(effort: Effort) -> list[Row]:
    juno = character()
    reviewer, *_ = members(juno, 1)
    count = effort.count(10_000, least=NEEDED)
    batch = fill(juno, count)
    # Each opening holds two pages for two minutes, so the next one is given others.
    first = ReviewItem.objects.waiting().in_order().select_related("image")
    images = [item.image for item in first[:NEEDED]]
    store(images, distinct=PAGE)
    write_bare_page(images[:PAGE])
    with served() as site:
        cookies = cookies_of(site, reviewer)
        desk = f"{chromium.desk_of(batch)}?view=grid"
        bare = f"{settings.STATIC_URL}{BARE}"
        took = {
            f"{PAGE} thumbnails of {count:,} painted, nothing cached": _opened(site, cookies, desk),
            "opened again, the site's files known": _opened(site, cookies, desk, again=True),
            "as many thumbnails in a page of nothing else": _opened(site, cookies, bare),
            "the next page, from the key": chromium.turn_pages(site, cookies, desk, turns=TURNS),
        }
    return [row(f"Chromium, SQLite: {name}", found) for name, found in took.items()]


def _opened(site: str, cookies: dict[str, str], path: str, *, again: bool = False) -> list[float]:
    return chromium.open_grid(site, cookies, path, openings=OPENINGS + 1, again=again)[1:]


def write_bare_page(images: list[Image]) -> None:
    """Where the web process finds it beside the static files when it starts."""
    pictures = (f'<img width="128" src="{reverse("media", args=[i.sha256, 256])}">' for i in images)
    tiles = "".join(f'<span class="tile">{picture}</span>' for picture in pictures)
    page = f"<!doctype html><title>Thumbnails</title><body>{tiles}"
    (settings.STATIC_ROOT / BARE).write_text(page, encoding="utf-8")


def row(name: str, took: list[float]) -> Row:
    found = quantiles([ms / 1000 for ms in took])
    return Row(name, "p95 <= 300 ms", in_words(found), found["p95"] <= 300, found)
