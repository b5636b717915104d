"""Reviewers over HTTP, who send what the page's script sends, on two connections as a browser does:
decisions one after another on the first, asking for pictures on the second.
"""

from __future__ import annotations

import re
import time
import uuid
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import User
from django.urls import reverse

from bench.review.pacing import on_time
from bench.review.serving import cookies_of
from curation.models import Batch

FEW = 12
"""Pictures left at which more are asked for, as in `static/deck.js`."""

_FRAME = re.compile(rb'data-item="(\d+)"')

Fields = list[tuple[str, str]]


class Line:
    """One connection that is kept open, and what a browser that is logged in says on it."""

    def __init__(self, site: str, cookies: dict[str, str]) -> None:
        self._connection = HTTPConnection(urlsplit(site).netloc, timeout=60)
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Origin": site,
            "X-CSRFToken": cookies["csrftoken"],
        }

    def post(self, path: str, fields: Fields) -> bytes | None:
        """The answer; None where there was none or it was a refusal."""
        try:
            self._connection.request("POST", path, urlencode(fields), self._headers)
            reply = self._connection.getresponse()
            body = reply.read()
        except (OSError, HTTPException):
            self._connection.close()
            return None
        return body if reply.status == 200 else None


class Reviewer:
    """One person at one tab. `decisions` and `claims` are seconds from when each was due."""

    def __init__(self, site: str, user: User, batch: Batch) -> None:
        cookies = cookies_of(site, user)
        self._deciding, self._asking = Line(site, cookies), Line(site, cookies)
        self._claim_path = reverse("claim", args=[batch.pk])
        self._lease = str(uuid.uuid4())
        self._known = set[int]()
        self._deck = deque[int]()
        self._claim: Future[None] = Future()
        self.decisions: list[float] = []
        self.claims: list[float] = []
        self.sent: list[uuid.UUID] = []
        self.refused = 0

    def sit_down(self) -> None:
        """Hold the first pictures. It counts nowhere."""
        self._ask(time.perf_counter())
        self.claims.clear()

    def work(self, dues: Iterable[float]) -> None:
        """Decide once at each due time, or as soon after it as the decision before is answered."""
        with ThreadPoolExecutor(1) as beside:
            self._claim = beside.submit(lambda: None)
            for number, due in enumerate(on_time(dues)):
                item = self._next()
                if len(self._deck) <= FEW and self._claim.done():
                    self._claim = beside.submit(self._ask, due)
                self._decide(item, due, number)

    def _next(self) -> int:
        if not self._deck:
            self._claim.result()
        return self._deck.popleft()

    def _ask(self, due: float) -> None:
        """The answer may also hold what is just being decided."""
        have = [("have", str(item)) for item in list(self._deck)]
        page = self._asking.post(self._claim_path, [("lease", self._lease), ("more", "1"), *have])
        self.claims.append(time.perf_counter() - due)
        self.refused += page is None
        shown = [int(item) for item in _FRAME.findall(page or b"")]
        self._deck.extend(item for item in shown if item not in self._known)
        self._known.update(shown)

    def _decide(self, item: int, due: float, number: int) -> None:
        key = uuid.uuid4()
        path = reverse("decide", args=[item])
        answer = self._deciding.post(path, decision(key, number))
        self.decisions.append(time.perf_counter() - due)
        self.sent.append(key)
        self.refused += answer is None


def decision(key: uuid.UUID, number: int) -> Fields:
    """The fields in the order of `static/review.js`; every third is a rejection for two reasons."""
    is_rejection = number % 3 == 2
    choice = "reject" if is_rejection else "accept"
    fields = [("choice", choice), ("key", str(key)), ("saw", "pending"), ("seconds", "0.42")]
    reasons = [("reasons", "identity"), ("reasons", "face")] if is_rejection else []
    return fields + reasons
