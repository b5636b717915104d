"""Whether a subject's unmeasured photos are being measured, said where its photos are shown."""

from __future__ import annotations

from typing import Any

from django import template

from curation.models import Subject
from training.models import RunKind

register = template.Library()


@register.inclusion_tag("training/_measuring.html")
def measuring(subject: Subject, num_unmeasured: int) -> dict[str, Any]:
    """How far the newest measurement is; the button that starts one where none is on its way."""
    newest = subject.runs.filter(kind=RunKind.MEASURE).order_by("-pk").first()
    return {"subject": subject, "num_unmeasured": num_unmeasured, "run": newest}
