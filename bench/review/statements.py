"""What a request of the desk says to the database, login and session included."""

from __future__ import annotations

import uuid

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.review.effort import Effort
from bench.review.rows import Row
from bench.review.stock import character, fill, members
from curation.reviewing.claiming import CLAIM

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
MOST = {"a claim of 20": 4, "a decision": 8}


def measure(_effort: Effort) -> list[Row]:
    juno = character()
    batch = fill(juno, 3 * CLAIM)
    desk = Client()
    desk.force_login(members(juno, 1)[0])
    item = batch.items.earliest("pk")
    said = {"choice": "reject", "reasons": "identity", "saw": "pending", "key": uuid.uuid4()}
    spoken = {
        "a claim of 20": statements(desk, reverse("claim", args=[batch.pk]), lease=uuid.uuid4()),
        "a decision": statements(desk, reverse("decide", args=[item.pk]), **said),
    }
    return [row(name, found) for name, found in spoken.items()]


def statements(desk: Client, url: str, **fields: object) -> list[str]:
    """Those that read or write rows, in order; the login is read anew."""
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        answer = desk.post(url, fields, headers={"Accept": "application/json"})
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}.")
    spoken = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in spoken if sql.split()[0] in VERBS]


def row(name: str, spoken: list[str]) -> Row:
    return Row(
        f"{connection.display_name}: statements of {name}, without BEGIN, COMMIT",
        f"<= {MOST[name]}",
        str(len(spoken)),
        len(spoken) <= MOST[name],
        {"statements": spoken},
    )
