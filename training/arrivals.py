"""New pictures are measured at once, so that the gate and the coverage know them."""

from __future__ import annotations

import logging
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.dispatch import receiver

from curation.models import Image, Subject
from curation.signals import photos_arrived
from training.models import BaseModel, Family, Run, RunKind, RunStatus
from training.readiness import CannotStart
from training.submission import submit_measure

logger = logging.getLogger(__name__)


@receiver(photos_arrived)
def measure_arrivals(subject: Subject, **facts: Any) -> None:
    """An upload is taken even where no face models are set up: the pages say what is missing."""
    try:
        submit_measure(subject, by=facts.get("by"))
    except CannotStart as error:
        logger.warning("%s: new photos are not measured: %s", subject.slug, error)


def measure_missed() -> None:
    """Measure photos of whose arrival nobody heard: the web process died, or a run just ended.

    A measurement that failed or was cancelled is left to people: the Photos page has its button.
    """
    if not BaseModel.objects.usable(Family.GATE).exists():
        return
    newest = Run.objects.filter(kind=RunKind.MEASURE, subject=OuterRef("pk")).order_by("-pk")
    unmeasured = Image.objects.photos().unmeasured()
    missed = (
        Subject.objects.filter(pk__in=unmeasured.values("subject"))
        .annotate(newest=Subquery(newest.values("status")[:1]))
        .filter(Q(newest=None) | Q(newest=RunStatus.SUCCEEDED))
    )
    for subject in missed:
        submit_measure(subject, by=None)
