"""The one way a run comes into being: rows in one transaction, then a nudge to the workers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from kombu.exceptions import OperationalError

from curation import shots
from curation.models import Batch, Image, ReviewItem, Snapshot, Subject
from curation.shots import Shot
from flenwheel.celery import app
from training.models import (
    BaseModel,
    Family,
    LoraVersion,
    Phase,
    Run,
    RunItem,
    RunKind,
)
from training.models.run import CPU_KINDS
from training.recipes import default_recipe
from training.suite import CARD, EDITS

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

CLOTHES = ("red shirt", "blue shirt", "green shirt", "yellow shirt", "white shirt", "black shirt")
BACKGROUNDS = ("grey", "sand", "mint", "rose", "sky", "lavender")
SEEDS_A_RUN = 10_000


class CannotStart(Exception):
    """A sentence: what is missing before this work can begin, and where to get it."""


def nudge(run: Run) -> None:
    """Wake the workers of its queue. A lost message costs time, never the run: beat repeats it."""
    task = "training.tasks.work_cpu" if run.kind in CPU_KINDS else "training.tasks.work_gpu"
    try:
        app.send_task(task)
    except (OperationalError, OSError) as error:
        logger.warning("%s waits for the next sweep: %s", run, error)


def preferred_base(family: Family) -> BaseModel:
    base = BaseModel.objects.usable(family).first()
    if base is None:
        raise CannotStart(f"No {family.label} model is set up. Add one on the Setup page.")
    return base


def submit_measure(subject: Subject, by: User | None) -> Run:
    """Measure every picture of a subject that was not measured yet."""
    running = Run.objects.active().filter(kind=RunKind.MEASURE, subject=subject).first()
    if running is not None:
        return running
    total = Image.objects.unmeasured().filter(subject=subject).count()
    return _submit(
        RunKind.MEASURE, preferred_base(Family.GATE), subject=subject, by=by, total=total
    )


def submit_enrich(
    subject: Subject,
    wanted: Sequence[Shot],
    per_shot: int,
    by: User | None,
    lora: LoraVersion | None = None,
) -> Run:
    """Edit the photos into `wanted` shots, `per_shot` seeds each, by the editor and its LoRA."""
    base = preferred_base(Family.QWEN_EDIT)
    photos = list(Image.objects.photos().filter(subject=subject, held_out=False).order_by("pk"))
    if not photos:
        raise CannotStart(f"{subject} has no photos yet. Add 10-20 on the Photos page.")
    if not wanted:
        raise CannotStart("No cell of the coverage table was chosen. Tick at least one.")
    lora = lora or LoraVersion.objects.of_editor(base).current().first()
    items = [
        _edit_item(shot, _source_for(shot, photos, take), take)
        for shot in wanted
        for take in range(per_shot)
    ]
    title = f"{len(items)} edits of the photos"
    return _submit(
        RunKind.ENRICH, base, subject=subject, by=by, lora=lora, items=items, title=title
    )


def _source_for(shot: Shot, photos: Sequence[Image], take: int) -> Image:
    """The photo nearest to what is wanted; each further take begins from another one."""

    def distance(photo: Image) -> tuple[int, int]:
        is_body = photo.pose not in ("", "portrait")
        views = [shots.VIEWS.index(v) for v in (shot.view, photo.view or "front")]
        return int(is_body == shot.is_portrait), abs(views[0] - views[1])

    ranked = sorted(photos, key=lambda photo: (*distance(photo), photo.pk))
    alike = [photo for photo in ranked if distance(photo)[0] == distance(ranked[0])[0]]
    return alike[take % len(alike)]


def _edit_item(shot: Shot, source: Image, take: int) -> RunItem:
    request = _facts(shot) | {
        "instruction": shots.instruction(shot, source.shot),
        "clothes": source.clothes,
        "background": source.background,
        "take": take,
    }
    return RunItem(request=request, source=source)


def _facts(shot: Shot) -> dict[str, Any]:
    return {"view": shot.view, "expression": shot.expression, "pose": shot.pose}


def submit_edit(item: ReviewItem, instruction: str, count: int, by: User | None) -> Run:
    """Edit again what was not right, by a person's own words: `count` candidates of other seeds."""
    source = item.image.parents.order_by("pk").first() or item.image
    asked = item.image.shot
    request = (_facts(asked) if asked else {}) | {
        "instruction": instruction,
        "clothes": source.clothes,
        "background": source.background,
    }
    items = [RunItem(request=request | {"take": take}, source=source) for take in range(count)]
    base = preferred_base(Family.QWEN_EDIT)
    return _submit(
        RunKind.EDIT,
        base,
        subject=item.image.subject,
        by=by,
        lora=LoraVersion.objects.of_editor(base).current().first(),
        items=items,
        batch=item.batch,
    )


def submit_generate(
    subject: Subject, lora: LoraVersion, wanted: Sequence[Shot], per_shot: int, by: User | None
) -> Run:
    """Draw `wanted` shots with a character LoRA, in changing clothes and places."""
    if not wanted:
        raise CannotStart("No cell of the coverage table was chosen. Tick at least one.")
    pairs = [(shot, take) for shot in wanted for take in range(per_shot)]
    items = [
        _picture_item(
            subject, shot, take, CLOTHES[i % len(CLOTHES)], BACKGROUNDS[i // 2 % len(BACKGROUNDS)]
        )
        for i, (shot, take) in enumerate(pairs)
    ]
    title = f"{len(items)} pictures by {lora}"
    return _submit(
        RunKind.GENERATE, lora.base, subject=subject, by=by, lora=lora, items=items, title=title
    )


def _picture_item(
    subject: Subject, shot: Shot, take: int, clothes: str = "", background: str = ""
) -> RunItem:
    request = _facts(shot) | {
        "prompt": shots.caption(subject.instance_prompt, shot, clothes, background),
        "clothes": clothes,
        "background": background,
        "take": take,
    }
    return RunItem(request=request)


def submit_train(
    subject: Subject,
    snapshot: Snapshot,
    phase: Phase,
    by: User | None,
    *,
    control: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Run:
    """Train a character LoRA; a control is one from the photos alone, to measure turns against."""
    base = preferred_base(Family.FLUX)
    if control and LoraVersion.objects.filter(subject=subject, phase=phase, number=0).exists():
        raise CannotStart(f"{subject} already has its LoRA from the photos alone.")
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
    )


def submit_train_editor(snapshot: Snapshot, by: User | None) -> Run:
    base = preferred_base(Family.QWEN_EDIT)
    recipe = default_recipe(base, Phase.EDITOR) | {"phase": Phase.EDITOR.value, "control": False}
    return _submit(
        RunKind.TRAIN, base, by=by, snapshot=snapshot, recipe=recipe, total=recipe["steps"]
    )


def submit_benchmark(
    subject: Subject, lora: LoraVersion | None, by: User | None, seeds: int = 4
) -> Run:
    """Draw the card's cells with a version, or with the base alone, under the same seeds."""
    base = lora.base if lora else preferred_base(Family.FLUX)
    items = [_picture_item(subject, shot, take) for shot in CARD for take in range(seeds)]
    return _submit(
        RunKind.BENCHMARK,
        base,
        subject=subject,
        by=by,
        lora=lora,
        items=items,
        recipe={"suite": f"card-1 x {seeds}", "first_seed": 0},
    )


def submit_editor_benchmark(
    lora: LoraVersion | None, by: User | None, *, per_cell: int = 2, first_seed: int = 0
) -> Run:
    """Edit photos of held-out people; each cell from `per_cell` photos."""
    base = preferred_base(Family.QWEN_EDIT)
    photos = list(
        Image.objects.photos().filter(pose="portrait", subject__held_out=True).order_by("pk")
    )
    if not photos:
        raise CannotStart(
            "There are no held-out people to measure the editor on. Make a subject of people that "
            "nothing is trained on, add their portraits, and mark it as held out in the admin site."
        )
    pairs = [(shot, take) for shot in EDITS for take in range(per_cell)]
    items = [
        _edit_item(shot, photos[(i * 7 + first_seed) % len(photos)], take)
        for i, (shot, take) in enumerate(pairs)
    ]
    suite = f"edits-1 x {per_cell} from {first_seed}"
    return _submit(
        RunKind.BENCHMARK,
        base,
        by=by,
        lora=lora,
        items=items,
        recipe={"suite": suite, "first_seed": first_seed},
    )


def _submit(
    kind: RunKind,
    base: BaseModel,
    *,
    by: User | None,
    items: Iterable[RunItem] = (),
    title: str = "",
    total: int = 0,
    **fields: Any,
) -> Run:
    rows = list(items)
    recipe = {"first_seed": _first_seed(kind, fields.get("subject"))} | fields.pop("recipe", {})
    with transaction.atomic():
        if title:
            fields["batch"] = Batch.objects.create(subject=fields["subject"], title=title)
        run = Run.objects.create(
            kind=kind,
            base=base,
            requested_by=by,
            recipe=recipe,
            total=total or len(rows),
            **fields,
        )
        for ordinal, row in enumerate(rows):
            row.run, row.ordinal = run, ordinal
            row.request["seed"] = recipe["first_seed"] + row.request["take"]
        RunItem.objects.bulk_create(rows)
        transaction.on_commit(partial(nudge, run))
    return run


def _first_seed(kind: RunKind, subject: Subject | None) -> int:
    """Runs of one kind never repeat each other's seeds within a subject."""
    return SEEDS_A_RUN * (1 + Run.objects.filter(kind=kind, subject=subject).count())
