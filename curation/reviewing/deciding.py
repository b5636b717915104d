"""What a person says about a picture. Rows are only added; how it stands follows from them.

Whoever decides or undoes locks the picture first, so that of two people the later one prevails.
An opinion, said without knowing that there is a verdict already, changes none: it is compared.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F

from curation.corrections.lessons import Handwork, keep_lesson, work_on
from curation.models import (
    Batch,
    Choice,
    Correction,
    Decision,
    Image,
    ReviewItem,
    Verdict,
    reviews,
)
from curation.reviewing.opinions import is_compared, shown_verdicts
from curation.reviewing.standing import (
    HELD_BY_NOBODY,
    compare,
    locked_for,
    project,
    said_about,
    that_count,
)
from flenwheel.writes import RowInsert, write

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_KEEP = RowInsert(Decision)


def decide(
    item: ReviewItem,
    choice: Choice,
    *,
    by: User,
    key: uuid.UUID | None = None,
    reasons: Sequence[str] = (),
) -> Decision:
    """Say something about an item, knowing how it stands."""
    key = key or uuid.uuid4()
    return record(Decision(key=key, item=item, author=by, choice=choice, reasons=list(reasons)))


def record(decision: Decision, *, saw: str = "", authorise: bool = False) -> Decision:
    """Keep a decision and carry it out. The same `key` twice is the same decision.

    `saw` is the verdict its author knew of. Where another stands, both are kept and that one goes
    on standing: nobody overrules a decision unseen.

    Raises:
        Image.DoesNotExist: no such item; with `authorise`, none that its author may review.
    """
    try:
        with transaction.atomic():
            decision.item = _lock(decision, authorise)
            decision.is_opinion = bool(saw) and _is_opinion(decision, saw)
            _carry_out(decision)
    except IntegrityError:
        return Decision.objects.get(key=decision.key, author=decision.author)
    return decision


def _lock(decision: Decision, authorise: bool) -> ReviewItem:
    author = decision.author
    item, role = locked_for(author.pk, decision.item_id)
    if authorise and not reviews(author, item.batch, role):
        raise Image.DoesNotExist
    return item


def _is_opinion(decision: Decision, saw: str) -> bool:
    """Whether its author did not know of the verdict that stands, where one does."""
    item = decision.item
    if item.decided_at is None or decision.choice == Choice.SKIP:
        return False
    is_own = item.decider_id == decision.author_id
    if saw == Verdict.PENDING:
        return item.is_waiting or not is_own
    if saw != item.image.verdict:
        return not is_own
    # Of what is compared people see only what they said themselves: now they say something else.
    opinions = that_count(said_about(item))[1:] if is_compared(item) else []
    return any(one.author_id == decision.author_id for one in opinions)


def _carry_out(decision: Decision) -> None:
    item, kept = decision.item, _KEEP(decision)
    if decision.choice == Choice.SKIP:
        write(kept)
        ReviewItem.objects.filter(pk=item.pk).update(skips=F("skips") + 1, **HELD_BY_NOBODY)
    elif item.decided_at is None:
        project(item, [decision], kept)
    else:
        write(kept)  # What was said is read, this too.
        (compare if decision.is_opinion else project)(item, said_about(item))
    _teach(decision)


def _teach(decision: Decision) -> None:
    """Whoever accepts an answer to an order has shown what the first edit should have been: they
    reject that one, as far as they know how it stands."""
    if decision.is_opinion or decision.choice != Choice.ACCEPT:
        return
    item, by = decision.item, decision.author
    first = item.answer_to
    if first and first.source:
        rejection = Decision(item=first, author=by, choice=Choice.REJECT)
        saw = shown_verdicts(ReviewItem.objects.filter(pk=first.pk), by)[first.pk]
        correct(rejection, item.image, work=work_on(item.image), saw=saw)


def correct(
    rejection: Decision, target: Image, *, work: Handwork | None = None, saw: str = ""
) -> Decision:
    """Reject what the editor made and keep as a lesson what it should have been, `target`.

    Where the rejection is an opinion the lesson waits, too: see `record` about `saw`.

    Raises:
        ValueError: the item was made from no picture.
    """
    with transaction.atomic():
        lesson = keep_lesson(rejection.item, target, by=rejection.author, work=work)
        rejection.correction = lesson
        return record(rejection, saw=saw)


def record_correction(
    item: ReviewItem,
    target: Image,
    *,
    by: User,
    key: uuid.UUID | None = None,
    reasons: Sequence[str] = (),
    work: Handwork | None = None,
) -> Correction:
    """The same, knowing how the item stands."""
    facts = {"item": item, "author": by, "choice": Choice.REJECT, "reasons": list(reasons)}
    kept = correct(Decision(key=key or uuid.uuid4(), **facts), target, work=work)
    assert kept.correction is not None
    return kept.correction


def undo_last(batch: Batch, *, by: User, authorise: bool = False) -> Decision | None:
    """Take back this person's newest decision in the batch; None when nothing is left to undo."""
    last = Decision.objects.undoable().filter(item__batch=batch, author=by).last()
    return undo(last, by=by, authorise=authorise) if last else None


def undo(decision: Decision, *, by: User, authorise: bool = False) -> Decision:
    """Take back one decision. Asked twice, the first undo stands.

    Raises:
        Image.DoesNotExist: with `authorise`, its author may no longer review the picture.
    """
    try:
        with transaction.atomic():
            decision.item = _lock(decision, authorise)
            undoing = Decision.objects.create(
                item=decision.item, author=by, choice=Choice.UNDO, undoes=decision
            )
            _restore(decision)
            _unteach(decision)
    except IntegrityError:  # A second press, or another tab, undid the same decision.
        return Decision.objects.get(undoes=decision)
    return undoing


def _restore(undone: Decision) -> None:
    if undone.choice == Choice.SKIP:
        ReviewItem.objects.filter(pk=undone.item_id, skips__gt=0).update(skips=F("skips") - 1)
    else:
        project(undone.item, said_about(undone.item))


def _unteach(undone: Decision) -> None:
    """With an acceptance goes the lesson that it gave."""
    if undone.is_opinion or undone.choice != Choice.ACCEPT or undone.item.answer_to_id is None:
        return
    lessons = Decision.objects.filter(
        item=undone.item.answer_to_id,
        correction__target=undone.item.image_id,
        author=undone.author_id,
        undone_by=None,
    )
    for lesson in lessons:
        undo(lesson, by=undone.author)
