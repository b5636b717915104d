"""What a person says about a picture. Rows are only added; the verdict is their projection.

Whoever decides or undoes locks the picture first, so that of two people the later one prevails.
An opinion, said without knowing that there is a verdict already, changes none: it is compared.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F

from curation import masks
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
from curation.opinions import VERDICTS, is_compared, is_drawn, opinions
from curation.ordering import LAST

if TYPE_CHECKING:
    from django.contrib.auth.models import User

HELD_BY_NOBODY = {"holder": None, "lease": None, "held_until": None}


@dataclass(frozen=True, slots=True)
class Handwork:
    """How the target of a correction came to be, in `Correction`'s own fields."""

    raw_instruction: str = ""
    mask: bytes | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    outside_change: float | None = None


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
            decision.item = _lock(decision)
            if authorise and not reviews(decision.author, decision.item.batch):
                raise Image.DoesNotExist
            decision.is_opinion = bool(saw) and _is_opinion(decision, saw)
            decision.save(force_insert=True)
            _carry_out(decision)
    except IntegrityError:
        return Decision.objects.get(key=decision.key, author=decision.author)
    return decision


def _lock(decision: Decision) -> ReviewItem:
    """The item and its picture as they are now, the picture locked first. One statement."""
    locking = Image.objects.select_for_update(no_key=True, of=("self", "review_item"))
    image = locking.select_related("review_item__batch").get(review_item=decision.item_id)
    return image.review_item


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
    mine = opinions(item).filter(author=decision.author_id)
    return is_compared(item) and mine.exists()


def _standing(item: ReviewItem) -> Decision | None:
    """The decision that the verdict is the projection of."""
    return item.decisions.filter(choice__in=VERDICTS, undone_by=None, is_opinion=False).last()


def _carry_out(decision: Decision) -> None:
    item = decision.item
    if decision.choice == Choice.SKIP:
        ReviewItem.objects.filter(pk=item.pk).update(skips=F("skips") + 1, **HELD_BY_NOBODY)
    elif decision.is_opinion:
        _compare(item)
    else:
        _project(item, decision)
        _teach(decision)


def _teach(decision: Decision) -> None:
    """Whoever accepts an answer to an order has shown what the first edit should have been."""
    item = decision.item
    if decision.choice == Choice.ACCEPT and item.answer_to and item.answer_to.source:
        work = _work_on(item.image)
        record_correction(item.answer_to, item.image, by=decision.author, work=work)


def _work_on(answer: Image) -> Handwork:
    """What a person typed and painted for the editor to answer, as the answer itself tells."""
    made_by = answer.provenance
    return Handwork(
        raw_instruction=made_by.get("said", ""),
        mask=masks.from_text(made_by["mask"]) if "mask" in made_by else None,
        outside_change=made_by.get("outside_change"),
    )


def _project(item: ReviewItem, standing: Decision | None) -> None:
    """Bring picture and item in line with what stands."""
    if standing:
        _follow(item, standing)
    else:
        _wait(item)
    item.is_disputed = False
    Image.objects.filter(pk=item.image_id).update(verdict=item.image.verdict)
    _save(item)


def _follow(item: ReviewItem, standing: Decision) -> None:
    """What had waited goes on waiting, behind all others, where the lot wants it judged twice. A
    known answer that is no longer true is forgotten."""
    item.image.verdict = VERDICTS[Choice(standing.choice)]
    item.decider, item.decided_at = standing.author, standing.created_at
    item.is_waiting = item.is_waiting and is_drawn(item)
    item.rank = item.rank % LAST + (LAST if item.is_waiting else 0)
    item.gold = item.gold if item.gold == standing.choice else ""


def _wait(item: ReviewItem) -> None:
    item.image.verdict = Verdict.PENDING
    item.decider = item.decided_at = None
    item.is_waiting = item.image.trashed_at is None
    item.rank %= LAST
    item.gold = ""


def _compare(item: ReviewItem) -> None:
    """A second opinion was said or taken back: is one wanted still, and does any differ?"""
    newest = dict(opinions(item).order_by("pk").values_list("author", "choice"))
    differs = any(VERDICTS[Choice(said)] != item.image.verdict for said in newest.values())
    item.is_disputed = differs and not item.gold
    is_wanted = is_drawn(item) and not item.gold and item.image.trashed_at is None
    item.is_waiting = is_wanted and not newest
    _save(item)


def _save(item: ReviewItem) -> None:
    """Write what follows from the decisions; whoever held the item has said what they wanted."""
    follows = ("decider", "decided_at", "is_disputed", "is_waiting", "gold", "rank")
    facts = {name: getattr(item, name) for name in follows}
    ReviewItem.objects.filter(pk=item.pk).update(**facts, **HELD_BY_NOBODY)


def undo_last(batch: Batch, *, by: User) -> Decision | None:
    """Take back this person's newest decision in the batch; None when nothing is left to undo."""
    last = (
        Decision.objects.filter(item__batch=batch, author=by, undone_by=None)
        .exclude(choice=Choice.UNDO)
        .select_related("item__image")
        .last()
    )
    return undo(last, by=by) if last else None


def undo(decision: Decision, *, by: User) -> Decision:
    """Take back one decision. Asked twice, the first undo stands."""
    try:
        with transaction.atomic():
            decision.item = _lock(decision)
            undoing = Decision.objects.create(
                item=decision.item, author=by, choice=Choice.UNDO, undoes=decision
            )
            _restore(decision)
            _unteach(decision)
    except IntegrityError:  # A second press, or another tab, undid the same decision.
        return Decision.objects.get(undoes=decision)
    return undoing


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
    for lesson in lessons.select_related("item__image"):
        undo(lesson, by=undone.author)


def _restore(undone: Decision) -> None:
    if undone.choice == Choice.SKIP:
        ReviewItem.objects.filter(pk=undone.item_id, skips__gt=0).update(skips=F("skips") - 1)
        return
    if not undone.is_opinion:
        _project(undone.item, _standing(undone.item))
    if undone.item.decided_at:
        _compare(undone.item)


def record_correction(
    item: ReviewItem,
    target: Image,
    *,
    by: User,
    key: uuid.UUID | None = None,
    reasons: Sequence[str] = (),
    work: Handwork | None = None,
) -> Correction:
    """Keep (source, instruction, target) as a lesson and reject what the editor made instead.

    The instruction is what was asked for first, not the words that led to the target: see
    docs/decisions/0012.

    Raises:
        ValueError: the item was made from no picture.
    """
    made = item.image
    source, instruction = edit_behind(item)
    facts = {"subject": made.subject, "rejected": made, "author": by}
    with transaction.atomic():
        correction, is_new = Correction.objects.get_or_create(
            source=source,
            instruction=instruction,
            target=target,
            defaults=facts | asdict(work or Handwork()),
        )
        if is_new:
            correction.candidates.set(_answers(item, target))
        record(
            Decision(
                key=key or uuid.uuid4(),
                item=item,
                author=by,
                choice=Choice.REJECT,
                reasons=list(reasons),
                correction=correction,
            )
        )
    return correction


def edit_behind(item: ReviewItem) -> tuple[Image, str]:
    """The picture and the order that the item began with: an answer in review is one more try.

    Raises:
        ValueError: it was made from no picture.
    """
    tries = [item]
    while (earlier := tries[-1].answer_to) is not None:
        tries.append(earlier)
    for one in reversed(tries):
        source = one.source or one.image.parents.order_by("pk").first()
        if source is not None:
            return source, one.image.what_was_asked
    raise ValueError(f"{item.image} was not made from a picture, so there is no edit to correct.")


def _answers(item: ReviewItem, target: Image) -> list[Image]:
    """What the editor answered when it was asked again: in the target's words, if it has any."""
    answers = Image.objects.filter(review_item__answer_to=item)
    words = target.what_was_asked
    return list(answers.filter(provenance__prompt=words) if words else answers)
