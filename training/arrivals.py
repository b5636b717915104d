"""New pictures are measured at once, so that the gate and the coverage know them."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import receiver

from curation.models import Subject
from curation.signals import photos_arrived
from training.submission import CannotStart, submit_measure

logger = logging.getLogger(__name__)


@receiver(photos_arrived)
def measure_arrivals(subject: Subject, **facts: Any) -> None:
    """An upload is taken even where no face models are set up: the pages say what is missing."""
    try:
        submit_measure(subject, by=facts.get("by"))
    except CannotStart as error:
        logger.warning("%s: new photos are not measured: %s", subject.slug, error)
