"""The one way a run comes into being: rows in one transaction, then a nudge to the workers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from kombu.exceptions import OperationalError

from curation.models import Batch, Image, ReviewItem, Snapshot, Subject
from curation.shots import Shot
from flenwheel.celery import app
from training import orders
from training.models import BaseModel, Family, LoraVersion, Phase, Run, RunItem, RunKind
from training.models.run import CPU_KINDS
from training.readiness import (
    CannotStart,
    preferred_base,
    refuse_backlog,
    refuse_held_back,
    refuse_second_control,
    refuse_unready,
)
from training.recipes import default_recipe

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

SEEDS_A_RUN = 10_000


def nudge(run: Run) -> None:
    """Wake the workers of its queue. A lost message costs time, never the run: beat repeats it."""
    task = "training.tasks.work_cpu" if run.kind in CPU_KINDS else "training.tasks.work_gpu"
    try:
        app.send_task(task)
    except (OperationalError, OSError) as error:
        logger.warning("%s waits for the next sweep: %s", run, error)


def submit_measure(subject: Subject, by: User | None) -> Run:
    """Measure every picture of a subject that the gate's weights have not seen."""
    running = Run.objects.active().filter(kind=RunKind.MEASURE, subject=subject).first()
    if running is not None:
        return running
    images = Image.objects.filter(subject=subject)
    total = images.unmeasured().count() or images.in_use().count()  # The worker counts anew.
    return _submit(
        RunKind.MEASURE, preferred_base(Family.GATE), subject=subject, by=by, total=total
    )


def submit_enrich(  # noqa: PLR0913 - what is asked for
    subject: Subject,
    wanted: Sequence[Shot],
    per_shot: int,
    by: User | None,
    lora: LoraVersion | None = None,
    *,
    key: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Run:
    """Edit pictures into `wanted` shots, `per_shot` seeds each, by the editor and its LoRA."""
    changes = changes or {}
    base = lora.base if lora else preferred_base(Family.QWEN_EDIT)
    _need_a_cell(wanted)
    refuse_backlog(subject)
    if subject.held_out:
        raise CannotStart(f"{subject} is held out: nothing is made of it or trained on it.")
    said = {name: changes[name] for name in ("avoided", "background") if name in changes}
    items = orders.edits(subject, wanted, per_shot, **said)
    if not items:
        raise CannotStart(f"{subject} has no photos yet. Add 10-20 on the Photos page.")
    return _submit(
        RunKind.ENRICH,
        base,
        subject=subject,
        by=by,
        lora=lora or LoraVersion.objects.of_editor(base).current().first(),
        items=items,
        title=f"{len(items)} edits of the photos",
        recipe={"per_shot": per_shot, **changes},
        key=key,
    )


def submit_again(earlier: Run, lora: LoraVersion, by: User | None) -> Run:
    """The edits of an earlier run by another version: the same sources, words and seeds."""
    items = [
        RunItem(request=dict(item.request), source=item.source)
        for item in earlier.items.select_related("source").order_by("ordinal")
    ]
    return _submit(
        RunKind.ENRICH,
        lora.base,
        subject=earlier.subject,
        by=by,
        lora=lora,
        items=items,
        title=f"{len(items)} edits again with {lora}",
        recipe=dict(earlier.recipe),
    )


def submit_edit(
    item: ReviewItem,
    said: str,
    count: int,
    by: User | None,
    *,
    mask: bytes = b"",
    key: uuid.UUID | None = None,
) -> Run:
    """Edit again what was not right, in a person's words, with a mask only inside it (PNG, 8-bit
    grey, as large as the picture): `count` candidates of other seeds."""
    base = preferred_base(Family.QWEN_EDIT)
    return _submit(
        RunKind.EDIT,
        base,
        subject=item.image.subject,
        by=by,
        lora=LoraVersion.objects.of_editor(base).current().first(),
        items=orders.repeats(item, said, count, mask),
        batch=item.batch,
        key=key,
    )


def submit_generate(  # noqa: PLR0913 - what is asked for
    subject: Subject,
    lora: LoraVersion,
    wanted: Sequence[Shot],
    per_shot: int,
    by: User | None,
    *,
    key: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Run:
    """Draw `wanted` shots with a character LoRA, in changing clothes and places."""
    _need_a_cell(wanted)
    refuse_backlog(subject)
    items = list(orders.pictures(subject, wanted, per_shot))
    return _submit(
        RunKind.GENERATE,
        lora.base,
        subject=subject,
        by=by,
        lora=lora,
        items=items,
        title=f"{len(items)} pictures by {lora}",
        recipe={"per_shot": per_shot, **(changes or {})},
        key=key,
    )


def _need_a_cell(wanted: Sequence[Shot]) -> None:
    if not wanted:
        raise CannotStart("No cell of the coverage table was chosen. Tick at least one.")


@transaction.atomic
def submit_train(  # noqa: PLR0913 - what is asked for
    subject: Subject,
    snapshot: Snapshot,
    phase: Phase,
    by: User | None,
    *,
    control: bool = False,
    changes: Mapping[str, Any] | None = None,
    key: uuid.UUID | None = None,
) -> Run:
    """Train a character LoRA; a control is one from the photos alone, to measure turns against."""
    base = preferred_base(Family.FLUX)
    refuse_held_back(snapshot)
    if started := _started_by(key, subject):
        return started
    if control:
        refuse_second_control(subject, phase)
    recipe = default_recipe(base, phase, **(changes or {}))
    recipe |= {"phase": phase.value, "control": control}
    return _submit(
        RunKind.TRAIN,
        base,
        subject=subject,
        by=by,
        snapshot=snapshot,
        recipe=recipe,
        total=recipe["steps"],
        key=key,
    )


def submit_train_editor(snapshot: Snapshot, by: User | None) -> Run:
    base = preferred_base(Family.QWEN_EDIT)
    refuse_held_back(snapshot)
    recipe = default_recipe(base, Phase.EDITOR) | {"phase": Phase.EDITOR.value, "control": False}
    under_way = Run.objects.active().filter(kind=RunKind.TRAIN, snapshot=snapshot, base=base)
    return under_way.first() or _submit(
        RunKind.TRAIN, base, by=by, snapshot=snapshot, recipe=recipe, total=recipe["steps"]
    )


def submit_benchmark(
    subject: Subject, lora: LoraVersion | None, by: User | None, seeds: int = 4
) -> Run:
    """Draw the card's cells with a version, or with the base alone, under the same seeds."""
    return _measure(
        lora.base if lora else preferred_base(Family.FLUX),
        orders.card_cells(subject, seeds),
        {"suite": f"card-1 x {seeds}", "first_seed": 0},
        subject=subject,
        by=by,
        lora=lora,
    )


def submit_editor_benchmark(
    lora: LoraVersion | None, by: User | None, *, per_cell: int = 2, half: int = 1
) -> Run:
    """Measure the editor on photos of one `half`, 0 or 1, of the held-out people."""
    items = orders.held_out_edits(half, per_cell)
    if not items:
        raise CannotStart(
            "There are no held-out people to measure the editor on. Make a subject of people that "
            "nothing is trained on, add their portraits, and mark it as held out in the admin site."
        )
    return _measure(
        lora.base if lora else preferred_base(Family.QWEN_EDIT),
        items,
        {"suite": f"edits-2 x {per_cell} of half {half}", "first_seed": half},
        by=by,
        lora=lora,
    )


def _measure(
    base: BaseModel, items: Iterable[RunItem], recipe: dict[str, Any], **fields: Any
) -> Run:
    """The same measurement, asked for again while it is under way, is that one."""
    same = Run.objects.active().filter(
        kind=RunKind.BENCHMARK,
        base=base,
        subject=fields.get("subject"),
        lora=fields["lora"],
        recipe__suite=recipe["suite"],
    )
    return same.first() or _submit(RunKind.BENCHMARK, base, items=items, recipe=recipe, **fields)


def _submit(
    kind: RunKind,
    base: BaseModel,
    *,
    by: User | None,
    items: Iterable[RunItem] = (),
    title: str = "",
    key: uuid.UUID | None = None,
    **fields: Any,
) -> Run:
    refuse_unready(kind, base)
    rows, subject = list(items), fields.get("subject")
    with transaction.atomic():
        if started := _started_by(key, subject):
            return started
        recipe = {"first_seed": _first_seed(kind, subject)} | fields.pop("recipe", {})
        if title:
            fields["batch"] = Batch.objects.create(subject=fields["subject"], title=title)
        run = Run.objects.create(
            key=key or uuid.uuid4(),
            kind=kind,
            base=base,
            requested_by=by,
            recipe=recipe,
            **{"total": len(rows), **fields},
        )
        for ordinal, row in enumerate(rows):
            row.run, row.ordinal = run, ordinal
            row.request["seed"] = recipe["first_seed"] + row.request["take"]
        RunItem.objects.bulk_create(rows)
        transaction.on_commit(partial(nudge, run))
    return run


def _started_by(key: uuid.UUID | None, subject: Subject | None) -> Run | None:
    """The run that this very form started before. Of two presses at once the second waits here."""
    if subject is not None:
        Subject.objects.select_for_update(no_key=True).get(pk=subject.pk)
    return Run.objects.filter(key=key, subject=subject).first() if key else None


def _first_seed(kind: RunKind, subject: Subject | None) -> int:
    """Runs of one kind never repeat each other's seeds within a subject."""
    return SEEDS_A_RUN * (1 + Run.objects.filter(kind=kind, subject=subject).count())
