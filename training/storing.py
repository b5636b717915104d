"""Store the files of what a run made, with all that made it; rows come after."""

from __future__ import annotations

from typing import Any

from PIL.Image import Image as Picture

from curation.ingest import store_made
from curation.models import Image, Origin
from curation.shots import Shot
from training.compositing import inside
from training.drawing import loras_of, source_of
from training.models import Run, RunItem, RunKind

ORIGINS = {
    RunKind.BENCHMARK: Origin.BENCHMARK,
    RunKind.GENERATE: Origin.SYNTHETIC,
    RunKind.OTHERS: Origin.CLASS,
}


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
        {"name": str(run.lora), "sha256": run.lora.sha256, "strength": ref.strength}
        for ref in loras_of(run)
        if run.lora is not None
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
