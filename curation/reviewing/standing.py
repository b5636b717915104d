"""How a picture stands: what follows from what was said about it, from the trash and from the lot.

Whoever changes one of these locks the picture first and ends here. Whether they may is for them to
judge: the role is read along with the lock, which saves a statement a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import dropwhile
from typing import Any

from django.db.models import OuterRef, Subquery

from curation.models import (
    Choice,
    Decision,
    Image,
    ImageQuerySet,
    Membership,
    ReviewItem,
    Verdict,
)
from curation.reviewing.opinions import VERDICTS, is_drawn
from curation.reviewing.ordering import LAST
from flenwheel.prepared import KEY, Prepared
from flenwheel.writes import RowUpdate, Write, write


def _locked(item: int, user: int) -> ImageQuerySet:
    seat = Membership.objects.filter(subject=OuterRef("subject"), user=user).order_by()
    return (
        Image.objects.select_for_update(no_key=True, of=("self", "review_item"))
        .select_related("review_item__batch")
        .annotate(role=Subquery(seat.values("role")))
        .filter(review_item=item)
        .order_by()
    )


_LOCKED = Prepared(_locked, KEY, KEY)
NOBODY = 0
"""No user's key."""

HELD_BY_NOBODY = {"holder": None, "lease": None, "held_until": None}
FOLLOWS = ("decider_id", "decided_at", "is_disputed", "is_waiting", "gold", "rank")
"""What of an item follows from all else."""
_JUDGE = RowUpdate(Image, "verdict")
_LINE_UP = RowUpdate(ReviewItem, *(name.removesuffix("_id") for name in FOLLOWS), *HELD_BY_NOBODY)


def locked(item: int) -> ReviewItem:
    """The item, its batch and its picture as they are now, the picture locked first. One statement.

    Raises:
        Image.DoesNotExist: no such item.
    """
    return locked_for(NOBODY, item)[0]


def locked_for(user: int, item: int) -> tuple[ReviewItem, str | None]:
    """The same, and in the same statement the user's role in the subject, if they have one."""
    image: Any = _LOCKED.first(item, user)
    if image is None:
        raise Image.DoesNotExist
    return image.review_item, image.role


def said_about(item: ReviewItem) -> list[Decision]:
    """The first verdict that nobody took back and what was said since, oldest first."""
    return since_the_first(item.decisions.verdicts().order_by("pk"))


def since_the_first(said: Iterable[Decision]) -> list[Decision]:
    """An opinion about a verdict that was taken back is about nothing."""
    return list(dropwhile(lambda one: one.is_opinion, said))


def that_count(said: Sequence[Decision]) -> list[Decision]:
    """The decision that stands, then each person's newest opinion about it; empty if none does."""
    verdicts = [place for place, one in enumerate(said) if not one.is_opinion]
    if not verdicts:
        return []
    standing, *opinions = said[verdicts[-1] :]
    return [standing, *{one.author_id: one for one in opinions}.values()]


def project(item: ReviewItem, said: Sequence[Decision], *also: Write) -> None:
    """Bring picture and item in line, and write what is `also` to be written. A known answer that
    is no longer true is forgotten."""
    standing = next(iter(that_count(said)), None)
    verdict = VERDICTS[Choice(standing.choice)] if standing else Verdict.PENDING
    if verdict != item.image.verdict:
        item.image.verdict = verdict
        also = (*also, _JUDGE(item.image_id, verdict=verdict))
    item.decider_id = standing.author_id if standing else None
    item.decided_at = standing.created_at if standing else None
    item.gold = item.gold if standing and item.gold == standing.choice else ""
    if standing and item.is_spared:  # Somebody looked it up, which no lot decided.
        item.is_spared, item.propensity = False, 1
        ReviewItem.objects.filter(pk=item.pk).update(is_spared=False, propensity=1)
    compare(item, said, *also)


def compare(item: ReviewItem, said: Sequence[Decision], *also: Write) -> None:
    """Of the verdict as it is: does anybody differ, unknowing, and is another opinion wanted?"""
    item.is_disputed = len({one.choice for one in that_count(said)}) > 1 and not item.gold
    line_up(item, said, *also)


def line_up(item: ReviewItem, said: Sequence[Decision], *also: Write) -> None:
    """Whether it waits for people: for a verdict, or behind all others for a second opinion."""
    is_decided = item.image.verdict != Verdict.PENDING
    is_done = item.gold or any(one.is_opinion for one in said) or not is_drawn(item)
    is_settled = is_done if is_decided else item.is_spared
    item.is_waiting = item.image.trashed_at is None and not is_settled
    item.rank = item.rank % LAST + (LAST if is_decided and item.is_waiting else 0)
    facts = {name: getattr(item, name) for name in FOLLOWS}
    write(*also, _LINE_UP(item.pk, **facts, holder_id=None, lease=None, held_until=None))
