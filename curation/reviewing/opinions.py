"""Second opinions: which pictures get one, and what a reviewer is shown meanwhile.

Nobody learns from the desk that a picture had been decided before, nor how: who knows agrees.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from curation.models import Batch, Choice, Decision, ReviewItem, ReviewItemQuerySet, Verdict
from curation.reviewing.ordering import LAST

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

VERDICTS = {Choice.ACCEPT: Verdict.ACCEPTED, Choice.REJECT: Verdict.REJECTED}

SHARES = {0.0: "nobody", 0.1: "one in ten", 0.25: "a quarter", 1.0: "all"}
"""How much of a batch is judged twice, as people choose it."""

REPEAT = dt.timedelta(minutes=10)
"""How long nobody is shown a picture again that they decided themselves."""


@dataclass(frozen=True, slots=True)
class Share:
    """A choice: how much of a batch is judged twice, and how many decided pictures that sends back
    or calls off."""

    share: float
    words: str
    num_sent_back: int
    num_called_off: int
    is_chosen: bool


def _line(share: float) -> str:
    """A share of all pictures have a SHA-256 below it: the lot is drawn once and for all, and by
    the database as well."""
    return f"{int(share * 16**8):08x}" if share < 1 else "g"


def is_drawn(item: ReviewItem) -> bool:
    """Whether the lot has fallen on the picture to be judged twice."""
    return item.image.sha256 < _line(item.batch.judged_twice)


def is_compared(item: ReviewItem) -> bool:
    """Whether people are shown nothing but their own word about it."""
    return bool(item.gold) or is_drawn(item)


def ready_for(user: User | AnonymousUser, long_ago: dt.datetime | None = None) -> Q:
    """The items that a reviewer may be shown: no verdict stands, or somebody else's or one's own of
    long ago does and a second opinion is wanted."""
    just_decided = Q(decider=user.pk, decided_at__gt=long_ago or timezone.now() - REPEAT)
    return ~just_decided & Q(is_waiting=True)


def shown_verdicts(items: ReviewItemQuerySet, by: User) -> dict[int, str]:
    """Each item's verdict as this reviewer may know it: that it waits, else one's own word, else
    what stands. One query."""
    mine = Decision.objects.current().filter(item=OuterRef("pk"), author=by).order_by("-pk")
    ready = ReviewItem.objects.filter(ready_for(by), pk=OuterRef("pk"))
    rows = items.order_by().values_list(
        "pk", "gold", "image__verdict", Exists(ready), Subquery(mine.values("choice")[:1])
    )
    return {pk: _shown(*facts) for pk, *facts in rows}


def _shown(gold: str, stands: str, is_ready: bool, said: str | None) -> str:
    if is_ready or stands == Verdict.PENDING:
        return Verdict.PENDING
    if said:
        return VERDICTS[Choice(said)]
    return Verdict.PENDING if gold else stands


def judge_twice(batch: Batch, share: float) -> None:
    """From now on; what is decided and has no second opinion yet is sent back, or waits no more."""
    line = _line(share)
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(judged_twice=share)
        for item_line, waits, moves in (("lt", True, LAST), ("gte", False, -LAST)):
            changing = _judged_once(batch).filter(
                **{f"image__sha256__{item_line}": line, "is_waiting": not waits}
            )
            changing.update(is_waiting=waits, rank=F("rank") + moves)
    batch.judged_twice = share


def shares(batch: Batch) -> list[Share]:
    """What can be chosen, and which decided pictures would wait then or wait no more. One query."""
    changes: dict[str, Count] = {}
    for number, share in enumerate(SHARES):
        drawn = Q(image__sha256__lt=_line(share))
        changes[f"back_{number}"] = Count("pk", filter=Q(drawn, is_waiting=False))
        changes[f"off_{number}"] = Count("pk", filter=Q(~drawn, is_waiting=True))
    counts = _judged_once(batch).aggregate(**changes)
    return [
        Share(
            share,
            words,
            num_sent_back=counts[f"back_{number}"],
            num_called_off=counts[f"off_{number}"],
            is_chosen=share == batch.judged_twice,
        )
        for number, (share, words) in enumerate(SHARES.items())
    ]


def _judged_once(batch: Batch) -> ReviewItemQuerySet:
    said = Decision.objects.opinions().filter(item=OuterRef("pk"))
    decided = ReviewItem.objects.filter(batch=batch, gold="", image__trashed_at=None)
    return decided.exclude(decided_at=None).filter(~Exists(said))
