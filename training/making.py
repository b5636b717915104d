"""Make a run's pictures, one item after the other: enrich, edit, generate, benchmark.

Files come first; then an item's rows are written in one transaction that checks the fencing token,
so a worker that lost its run writes none, and a run taken up again makes only what is missing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery.worker import state
from django.db import transaction
from django.utils import timezone
from PIL.Image import Image as Picture

from curation.gating import judge
from curation.ingest import keep_row, store_made
from curation.models import Image, Origin, ReviewItem
from curation.nearest import nearest_photos
from curation.ordering import rank
from curation.rescoring import made_of
from curation.shots import Shot
from curation.storage import open_picture
from training.artifacts import lora_path
from training.compositing import inside
from training.engines.base import EditRequest, EngineError, GenerateRequest, LoraRef, OutOfMemory
from training.eyes import Sight, keep_seen, look, open_eyes
from training.gate import gate_of, settle
from training.models import BaseModel, Family, Run, RunItem, RunKind
from training.resident import RESIDENT

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 1.0

ORIGINS = {
    RunKind.BENCHMARK: Origin.BENCHMARK,
    RunKind.GENERATE: Origin.SYNTHETIC,
    RunKind.OTHERS: Origin.CLASS,
}

Keep = Callable[[Image], None]
"""Writes the rows about a picture whose own row was just written, in the same transaction."""
Look = Callable[[RunItem, Image], Keep]
"""Looks at a picture whose files are stored and whose row is not: this may take its time."""


@dataclass(slots=True)
class Pace:
    """Reports progress at most once a second, and how fast it goes; ends a worker asked to end."""

    run: Run
    started: float
    done_before: int
    reported: float = 0.0

    def tell(self, done: int) -> None:
        state.maybe_shutdown()
        now = time.monotonic()
        if now - self.reported < SECONDS_BETWEEN_REPORTS and done < self.run.total:
            return
        self.reported = now
        rate = (done - self.done_before) / max(now - self.started, 1e-3)
        self.run.report(progress=done, rate=rate or None)


def make_all(run: Run, look_at: Look) -> None:
    """Make every item that is not done, look at it, and keep what was seen with it.

    An item that cannot be made says why, and the others go on.

    Raises:
        EngineError: the engine cannot be opened, nothing at all could be made, or a cell of a
            benchmark is missing, whose columns are compared whole.
    """
    todo = list(run.items.filter(done_at=None).select_related("source__subject"))
    done = run.items.exclude(done_at=None).count()
    pace = Pace(run, time.monotonic(), done)
    run.report(phase="making pictures", progress=done)
    if todo:
        open_engine(run, todo[0])
    failures = []
    for item in todo:
        try:
            make(run, item, look_at)
        except OutOfMemory:
            raise
        except EngineError as error:
            failures.append(str(error))
            note_failure(run, item, error)
        else:
            done += 1
            pace.tell(done)
    if failures and (done == 0 or run.kind == RunKind.BENCHMARK):
        raise EngineError(
            f"{len(failures)} of {run.total} pictures could not be made. {failures[-1]} "
            "Then press Resume: only what is missing is made."
        )


def make(run: Run, item: RunItem, look_at: Look) -> None:
    made = store(run, item, draw(run, item))
    keep = look_at(item, made)
    with transaction.atomic():
        run.report()
        image = keep_row(made, [item.source] if item.source is not None else [])
        keep(image)
        RunItem.objects.filter(pk=item.pk).update(image=image, failure="", done_at=timezone.now())


def note_failure(run: Run, item: RunItem, error: EngineError) -> None:
    logger.warning("%s: %s", item, error)
    with transaction.atomic():
        run.report()
        RunItem.objects.filter(pk=item.pk).update(failure=str(error))


def open_engine(run: Run, item: RunItem) -> None:
    """Before any item: what is wrong with the weights is wrong for all of them."""
    if item.source is not None:
        RESIDENT.editor(run.base)
    else:
        RESIDENT.generator(run.base)


def draw(run: Run, item: RunItem) -> Picture:
    """Ask the engine. A cancelled run stops within one denoising step."""
    beat = _StepBeat(run)
    loras = _loras(run)
    if item.source is not None:
        request = EditRequest(
            images=(source_of(item.source),),
            instruction=item.request["instruction"],
            seed=item.request["seed"],
            steps=run.recipe.get("steps"),
            true_cfg=run.recipe.get("true_cfg"),
            loras=loras,
        )
        return RESIDENT.editor(run.base).edit(request, beat)
    words = GenerateRequest(
        prompt=item.request["prompt"],
        seed=item.request["seed"],
        steps=run.recipe.get("steps"),
        loras=loras,
    )
    return RESIDENT.generator(run.base).generate(words, beat)


def source_of(image: Image) -> Picture:
    try:
        return open_picture(image)
    except OSError as error:
        raise EngineError(
            f"The file of {image} of {image.subject} cannot be read ({error}). "
            "Upload that picture again, or put it in the trash."
        ) from error


class _StepBeat:
    """Keeps a slow picture's run alive: one heartbeat every few seconds of denoising."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._last = time.monotonic()

    def __call__(self, _: int, __: int) -> None:
        if time.monotonic() - self._last > 2:
            self._last = time.monotonic()
            state.maybe_shutdown()
            self._run.report()


def _loras(run: Run) -> tuple[LoraRef, ...]:
    lora = run.lora or run.foreign
    if lora is None:
        return ()
    strength = float(run.recipe.get("strength", 1.0))
    return (LoraRef(path=lora_path(lora), sha256=lora.sha256, strength=strength),)


def store(run: Run, item: RunItem, picture: Picture) -> Image:
    """Store the picture's files with everything that made it; the row is not saved yet."""
    asked, provenance = item.request, _provenance(run, item)
    if item.source is not None and "mask" in asked:
        picture, facts = inside(asked["mask"], picture, source_of(item.source))
        provenance |= facts
    return store_made(
        subject=run.subject or item.source.subject,  # type: ignore[union-attr]
        picture=picture,
        origin=ORIGINS.get(RunKind(run.kind), Origin.ENRICHED),
        shot=Shot(asked["view"], asked["expression"], asked["pose"]) if "view" in asked else None,
        depth=_depth(run, item),
        provenance=provenance,
        clothes=asked["clothes"],
        background=asked["background"],
    )


def _depth(run: Run, item: RunItem) -> int:
    """One more than what it was made from: its source, or the LoRA's deepest training picture."""
    if item.source is not None:
        return item.source.depth + 1
    if run.lora is None:
        return 1
    deepest = run.lora.snapshot.items.order_by("-image__depth").select_related("image").first()
    return 1 + (deepest.image.depth if deepest else 0)


def _provenance(run: Run, item: RunItem) -> dict[str, Any]:
    loras = [
        {"name": str(run.lora or run.foreign), "sha256": ref.sha256, "strength": ref.strength}
        for ref in _loras(run)
    ]
    said = {"said": item.request["said"]} if "said" in item.request else {}
    settings = ("steps", "true_cfg", "background")
    return said | {
        "engine": run.base.family,
        "base": run.base.name,
        "base_revision": run.base.revision,
        "loras": loras,
        "prompt": item.request.get("instruction") or item.request["prompt"],
        "seed": item.request["seed"],
        **{name: run.recipe[name] for name in settings if name in run.recipe},
    }


def make_for_review(run: Run) -> None:
    """Enrich, edit or generate: each picture is measured, judged by the gate, put in the batch."""
    eyes = open_eyes(installed(Family.GATE))
    watch = gate_of(run, eyes)
    batch = run.batch
    assert batch is not None
    photos = list(Image.objects.photos().filter(subject=run.subject).select_related("measurement"))

    def look_at(item: RunItem, made: Image) -> Keep:
        return partial(put_in_batch, item, look(open_picture(made), eyes))

    def put_in_batch(item: RunItem, sight: Sight, image: Image) -> None:
        calibration, keeper = watch.over(Origin(image.origin))
        [opinion] = judge(keeper, [made_of(image, keep_seen(image, sight), item.source)])
        ReviewItem.objects.get_or_create(
            image=image,
            defaults={
                "batch": batch,
                "source": item.source,
                "answer_to": ReviewItem.objects.filter(pk=item.request.get("answer_to")).first(),
                "nearest": nearest_photos(image, photos),
                "gate": opinion.gate,
                "gate_reason": opinion.reason,
                "score": opinion.score,
                "p_value": opinion.p_value,
                "calibration": calibration,
                "rank": rank(image, opinion.gate),
            },
        )

    make_all(run, look_at)
    settle(batch.subject, eyes)


def installed(family: Family) -> BaseModel:
    """Raises EngineError: nobody has set up a model of that family."""
    base = BaseModel.objects.usable(family).first()
    if base is None:
        raise EngineError(
            f"No model is set up for “{family.label}”. "
            "Add one on the Setup page, then press Resume."
        )
    return base
