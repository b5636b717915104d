"""What a person says about a picture. Rows are only added; the verdict is their projection.

Whoever decides or undoes locks the picture first, so that of two people the later one prevails.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F

from curation import masks
from curation.models import Batch, Choice, Correction, Decision, Image, ReviewItem, Verdict

if TYPE_CHECKING:
    from django.contrib.auth.models import User

VERDICTS = {Choice.ACCEPT: Verdict.ACCEPTED, Choice.REJECT: Verdict.REJECTED}
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


def record(decision: Decision, *, saw: str = "") -> Decision:
    """Keep a decision and carry it out. The same `key` twice is the same decision.

    `saw` is the verdict its author knew of. Where somebody else has said something since, both
    are kept and theirs stands: nobody overrules a decision unseen.
    """
    item = decision.item
    try:
        with transaction.atomic():
            _lock(item)
            decision.is_opinion = bool(saw) and _is_late(decision, saw)
            decision.save(force_insert=True)
            if not decision.is_opinion:
                _carry_out(item, Choice(decision.choice))
                _teach(decision)
    except IntegrityError:
        return Decision.objects.get(key=decision.key, author=decision.author)
    return decision


def _lock(item: ReviewItem) -> None:
    item.image = Image.objects.select_for_update(no_key=True).get(pk=item.image_id)


def _is_late(decision: Decision, saw: str) -> bool:
    if saw == decision.item.image.verdict:
        return False
    standing = _standing(decision.item)
    return standing is not None and standing.author_id != decision.author_id


def _standing(item: ReviewItem) -> Decision | None:
    """The decision that the verdict is the projection of."""
    return item.decisions.filter(choice__in=VERDICTS, undone_by=None, is_opinion=False).last()


def _carry_out(item: ReviewItem, choice: Choice) -> None:
    if choice == Choice.SKIP:
        ReviewItem.objects.filter(pk=item.pk).update(skips=F("skips") + 1, **HELD_BY_NOBODY)
    else:
        _project(item, VERDICTS[choice])


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


def _project(item: ReviewItem, verdict: Verdict) -> None:
    Image.objects.filter(pk=item.image_id).update(verdict=verdict)
    item.image.verdict = verdict
    waits = verdict == Verdict.PENDING and item.image.trashed_at is None
    ReviewItem.objects.filter(pk=item.pk).update(is_waiting=waits, **HELD_BY_NOBODY)


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
            _lock(decision.item)
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
    if undone.choice != Choice.ACCEPT or undone.item.answer_to_id is None:
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
    standing = _standing(undone.item)
    _project(undone.item, VERDICTS[Choice(standing.choice)] if standing else Verdict.PENDING)


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
