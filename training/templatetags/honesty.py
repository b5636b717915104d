"""What doll weights cannot do, said on the pages of a subject with real photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import template
from django.conf import settings

from curation.models import Subject
from training.models import BaseModel, Family

register = template.Library()


@register.inclusion_tag("training/_doll_notice.html")
def doll_notice(subject: Subject) -> dict[str, Any]:
    """Nothing for the demo, nor once real weights are preferred for drawing and for editing."""
    chosen = [
        BaseModel.objects.usable(family).first() for family in (Family.FLUX, Family.QWEN_EDIT)
    ]
    dolls = [base for base in chosen if base and base.is_paper_doll]
    show = bool(dolls) and not subject.is_demo
    folder = Path(settings.VAR, "demo-dolls")
    names = sorted(path.name for path in folder.glob("*") if path.is_dir()) if show else []
    return {"subject": subject, "show": show, "names": names}
