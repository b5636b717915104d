"""What machines do when consent is withdrawn: stop what reads those pictures, offer what learned
from them no more, erase what shows them. The versions stay, and say so; nothing starts from them.
"""

from __future__ import annotations

import logging
import shutil
from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from curation.models import SnapshotItem, Subject
from curation.signals import consent_withdrawn
from training.models import LoraVersion, Run, RunItem, RunMoved, Standing
from training.runs.artifacts import run_folder
from training.versions.promotion import retire

logger = logging.getLogger(__name__)

BLIND = ("lora.safetensors", "recipe.json", "losses.jsonl", "likeness.jsonl", "lock")
"""Of a run's folder: the version, hashes and figures. All else shows pictures or quotes captions:
encoded ones, samples, checkpoints, masks, the job, the log, what other trainers were laid out."""


@receiver(consent_withdrawn)
def stop_and_retire(subject: Subject, **_facts: Any) -> None:
    """Inside the transaction that erases: whoever is at work finds the run moved before it can
    keep what it made."""
    lost = SnapshotItem.objects.trained_on().withdrawn().values("snapshot")
    reading = Q(subject=subject) | Q(snapshot__in=lost) | Q(lora__snapshot__in=lost)
    sources = Q(items__source__erased_at__isnull=False)
    for run in Run.objects.active().filter(reading | sources).distinct():
        _cancel(run)
    learned = LoraVersion.objects.filter(snapshot__in=lost)
    for lora in learned.filter(standing__in=[Standing.CURRENT, Standing.CANDIDATE]):
        retire(lora, by=None, reason="Consent was withdrawn.")
    _forget_masks()


def _forget_masks() -> None:
    """An order for the inside of a mask holds the outline of whoever it was painted over."""
    painted = RunItem.objects.filter(source__erased_at__isnull=False, request__has_key="mask")
    for item in painted:
        del item.request["mask"]
        item.save(update_fields=["request"])


def sweep_runs() -> int:
    """Delete what runs keep of erased pictures; give how many runs had any. Repeatable: a training
    that was still ending may have written more, which the next sweep finds."""
    lost = SnapshotItem.objects.withdrawn().values("snapshot")
    count = 0
    for run in Run.objects.filter(snapshot__in=lost):
        there = [path for path in run_folder(run).glob("*") if path.name not in BLIND]
        for path in there:
            path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
        count += bool(there)
    if count:
        logger.info("what %s runs kept of erased pictures is gone", count)
    return count


def _cancel(run: Run) -> None:
    """One that moves at this very moment is asked again; one that ended is past cancelling."""
    while True:
        try:
            run.cancel()
        except RunMoved:
            run.refresh_from_db()
            if run.is_finished:
                return
        else:
            return
