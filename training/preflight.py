"""What must be there before a machine starts, said before it starts. It changes nothing.

A guard's level is ok, warn (worth knowing) or bad (it will not start, or not work).
"""

from __future__ import annotations

import shutil

from django.conf import settings

from curation.models import Image, ReviewItem, Subject
from training.models import BaseModel, Family, LoraVersion, Run, RunKind
from training.wheel import Guard

FEW_PHOTOS = 10
GIGABYTE = 10**9
LEAST_FREE = 2 * GIGABYTE


def for_pictures(subject: Subject, kind: RunKind) -> list[Guard]:
    family = Family.QWEN_EDIT if kind == RunKind.ENRICH else Family.FLUX
    checks = [_base(family), _base(Family.GATE)]
    if kind == RunKind.ENRICH:
        checks += [_photos(subject), _editor()]
    elif not LoraVersion.objects.of_subject(subject).exists():
        checks.append(Guard("bad", f"No LoRA of {subject} is trained yet. Train one first."))
    return [*checks, _disk(), _queue()]


def for_training(subject: Subject) -> list[Guard]:
    return [_base(Family.FLUX), _photos(subject), _undecided(subject), _disk(), _queue()]


def for_editor_training() -> list[Guard]:
    return [_base(Family.QWEN_EDIT), _disk(), _queue()]


def _base(family: Family) -> Guard:
    base = BaseModel.objects.usable(family).first()
    if base is None:
        return Guard("bad", f"No {family.label} model is set up. Add one on the Setup page.")
    if not base.path.is_dir():
        return Guard("bad", f"The files of {base} are not where they should be: {base.path}")
    if base.is_paper_doll:
        return Guard("ok", f"{base.get_family_display()}: {base}, weights that know paper dolls.")
    return Guard("ok", f"{base.get_family_display()}: {base}.")


def _editor() -> Guard:
    base = BaseModel.objects.usable(Family.QWEN_EDIT).first()
    lora = LoraVersion.objects.of_editor(base).current().first() if base else None
    if lora:
        return Guard("ok", f"The editor works with {lora}, trained on your corrections.")
    return Guard("ok", "The editor works without a LoRA; your corrections can train one.")


def _photos(subject: Subject) -> Guard:
    count = Image.objects.photos().filter(subject=subject, held_out=False).count()
    if count == 0:
        return Guard("bad", f"{subject} has no photos yet. Add 10-20 on the Photos page.")
    if count < FEW_PHOTOS:
        return Guard("warn", f"{count} photos; 10-20 that differ give a better likeness.")
    return Guard("ok", f"{count} photos to start from.")


def _undecided(subject: Subject) -> Guard:
    waiting = ReviewItem.objects.waiting().filter(batch__subject=subject).count()
    if waiting:
        return Guard("warn", f"{waiting} pictures still wait for review; they stay out of this.")
    return Guard("ok", "Nothing waits for review.")


def _disk() -> Guard:
    free = shutil.disk_usage(settings.VAR).free
    level = "ok" if free > LEAST_FREE else "bad"
    return Guard(level, f"{free / GIGABYTE:.0f} GB of disk are free.")


def _queue() -> Guard:
    ahead = Run.objects.active().exclude(kind=RunKind.MEASURE).count()
    if ahead:
        return Guard("warn", f"{ahead} other run{'s'[: ahead > 1]} first; this one waits its turn.")
    return Guard("ok", "The worker is free.")
