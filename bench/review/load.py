"""Eight reviewers at once, open loop: what is due is due, however slow the answers before were."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from bench.review.effort import Effort
from bench.review.pacing import every
from bench.review.reviewers import Reviewer
from bench.review.rows import Row, in_words, quantiles
from bench.review.serving import served
from bench.review.stock import character, fill, members
from curation.models import Batch, Decision

ITEMS = 50_000
REVIEWERS = 8
SECONDS = 60.0
RATES = {"sqlite": 100, "postgresql": 150}
"""Decisions a second, of all reviewers together."""
SLOWEST = 0.05
"""Seconds that 95 % of the answers may take."""


def measure(effort: Effort) -> list[Row]:
    juno = character()
    people = members(juno, REVIEWERS)
    batch = fill(juno, effort.count(ITEMS))
    rate = RATES[connection.vendor]
    with served() as site:
        reviewers = [Reviewer(site, user, batch) for user in people]
        review(reviewers, rate, round(rate * effort.seconds(SECONDS)))
    title = f"{connection.display_name}, {rate} decisions/s"
    return [
        *latencies(title, reviewers),
        refusals(title, reviewers),
        kept(title, reviewers, batch),
    ]


def review(reviewers: list[Reviewer], rate: int, count: int) -> None:
    """`count` decisions, `rate` a second, dealt by lot: dealt in turn, all would run out of
    pictures in the same instant, as people never do."""
    for reviewer in reviewers:
        reviewer.sit_down()
    lot = random.Random(0)
    hands: list[list[float]] = [[] for _ in reviewers]
    for due in every(1 / rate, count):
        lot.choice(hands).append(due)
    with ThreadPoolExecutor(len(reviewers)) as seats:
        shifts = [
            seats.submit(reviewer.work, dues)
            for reviewer, dues in zip(reviewers, hands, strict=True)
        ]
    for shift in shifts:
        shift.result()


def latencies(title: str, reviewers: list[Reviewer]) -> list[Row]:
    decisions = [seconds for reviewer in reviewers for seconds in reviewer.decisions]
    claims = [seconds for reviewer in reviewers for seconds in reviewer.claims]
    kinds = {"a decision": decisions, "a claim": claims, "all together": decisions + claims}
    return [latency(f"{title}: {kind}", seconds) for kind, seconds in kinds.items()]


def latency(name: str, seconds: list[float]) -> Row:
    found = quantiles(seconds)
    holds = found["p95"] <= 1000 * SLOWEST
    return Row(name, f"p95 <= {1000 * SLOWEST:.0f} ms", in_words(found), holds, found)


def refusals(title: str, reviewers: list[Reviewer]) -> Row:
    refused = sum(reviewer.refused for reviewer in reviewers)
    return Row(f"{title}: refused", "0", str(refused), refused == 0, {"refused": refused})


def kept(title: str, reviewers: list[Reviewer], batch: Batch) -> Row:
    """Every key that was sent stands in one row, about a picture of its own."""
    sent = {key for reviewer in reviewers for key in reviewer.sent}
    rows = Decision.objects.filter(item__batch=batch).values_list("key", "item", "is_opinion")
    stored, items = {key for key, _, _ in rows}, {item for _, item, _ in rows}
    figures = {
        "sent": len(sent),
        "stored": len(rows),
        "lost": len(sent - stored),
        "late": sum(is_opinion for _, _, is_opinion in rows),
    }
    holds = sent == stored and len(sent) == len(rows) == len(items) and not figures["late"]
    told = ", ".join(f"{number:,} {name}" for name, number in figures.items())
    return Row(f"{title}: every decision stored once", "all", told, holds, figures)
