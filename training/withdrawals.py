"""What machines do when consent is withdrawn: stop what reads those pictures, offer what learned
from them no more. The versions stay, and say so; they measure nothing new and draw nothing new.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from curation.models import SnapshotItem, Subject
from curation.signals import consent_withdrawn
from training.models import LoraVersion, Run, RunMoved, Standing


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
    learned.filter(standing__in=[Standing.CURRENT, Standing.CANDIDATE]).update(
        standing=Standing.RETIRED
    )


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
