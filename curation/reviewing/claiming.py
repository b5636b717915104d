"""Hand out what waits: the next few pictures to one browser tab, for a while.

A lease is three columns of the item itself, so claiming costs one index range and one update
whatever the size of the batch, and no row is left behind by a tab that died (docs/decisions/0011).
"""

from __future__ import annotations

import datetime as dt
import uuid
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from curation.members.guests import GUEST, is_guest
from curation.models import Batch, ReviewItem, ReviewItemQuerySet, may_review
from curation.reviewing.gold import unmet
from curation.reviewing.opinions import REPEAT, ready_for
from curation.reviewing.standing import HELD_BY_NOBODY
from flenwheel.prepared import KEY, MOMENT, TOKEN, Prepared

CLAIM = 20
"""Pictures handed out at once: seconds of work for a fast reviewer, little to take from others."""
PAGE = 24
"""And at most, to somebody who looks at a whole page of them."""

LEASE = dt.timedelta(seconds=120)
"""How long a tab that fell silent keeps its pictures from others; it speaks every sixth of it."""


def claim(
    batch: int, *, by: User, lease: uuid.UUID, count: int = CLAIM, more: bool = False
) -> list[ReviewItem]:
    """Hold up to `count` items of the batch for this lease, those it holds already among them; with
    `more`, `count` besides those, as long as there are any.

    Two statements. Whoever asks at the same moment gets others: Postgres skips locked rows, SQLite
    lets one transaction write at a time.
    """
    items = _hold(batch, by, lease, _wanted(count, more, by.is_staff, is_guest(by)))
    if more and not items:  # An answer may have been lost: what it told of is held, and not known.
        return claim(batch, by=by, lease=lease, count=count)
    return items


def _hold(batch: int, by: User, lease: uuid.UUID, wanted: Prepared[ReviewItem]) -> list[ReviewItem]:
    now = timezone.now()
    with transaction.atomic():
        items = wanted(batch, by.pk, lease, now, now - REPEAT)
        ReviewItem.objects.filter(pk__in=[item.pk for item in items]).update(
            holder=by, lease=lease, held_until=now + LEASE
        )
    return items


@cache
def _wanted(count: int, more: bool, is_staff: bool, is_guest: bool) -> Prepared[ReviewItem]:
    """For all reviewers of a kind: who it is comes with batch, lease, now and `REPEAT` ago."""
    name = GUEST if is_guest else ""

    def build(batch: Any, by: Any, lease: Any, *times: Any) -> ReviewItemQuerySet:
        somebody = User(pk=by, username=name, is_staff=is_staff)
        somebody.set_unusable_password()
        items = next_items(batch, somebody, None if more else lease, *times)
        return items.select_for_update(skip_locked=True, of=("self",))[:count]

    return Prepared(build, KEY, KEY, TOKEN, MOMENT, MOMENT)


def next_items(
    batch: int, by: User, lease: uuid.UUID | None, now: dt.datetime, long_ago: dt.datetime
) -> ReviewItemQuerySet:
    """What the lease may have, in order, with all that the desk shows: also `slug`, the subject's,
    and `unmet_gold`, a test picture for this person.

    Whether the batch may be seen is asked apart from the items, not by a join: with one, SQLite's
    planner may start from the batch and sort every waiting item.
    """
    this = Batch.objects.filter(pk=batch)
    return (
        ReviewItem.objects.filter(ready_for(by, long_ago))
        .free_for(lease, now)
        .filter(may_review(by, batch, now), batch=batch)
        .annotate(
            slug=Subquery(this.values("subject__slug")),
            unmet_gold=Subquery(unmet(by, batch).values("pk")[:1]),
        )
        .with_all_shown()
        .in_order()
    )


def keep(batch: int, *, by: User, lease: uuid.UUID) -> int:
    """Still here: hold on to what this lease holds. Returns how many those are."""
    mine = ReviewItem.objects.filter(batch=batch, holder=by, lease=lease)
    return mine.update(held_until=timezone.now() + LEASE)


def release(batch: int, *, by: User, lease: uuid.UUID) -> int:
    """The tab was closed: what it held goes to whoever asks next."""
    return ReviewItem.objects.filter(batch=batch, holder=by, lease=lease).update(**HELD_BY_NOBODY)
