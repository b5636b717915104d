"""What a version's training wrote down, for the page of that version."""

from __future__ import annotations

from typing import Any

from django import template

from training.artifacts import run_folder
from training.made_with import MadeWith
from training.models import LoraVersion

register = template.Library()


@register.inclusion_tag("training/_made_with.html")
def made_with(lora: LoraVersion) -> dict[str, Any]:
    name = f"{lora.subject.slug}/{lora}" if lora.subject and lora.number else ""
    return {"lora": lora, "made": MadeWith.read(run_folder(lora.run)), "name": name}
