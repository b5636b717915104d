"""Builds the tiny Qwen-Image-Edit pack: autoencoder, reader of instructions, editor, folder.

`python -m paperdolls.qwen` trains what is not trained yet and writes the pack; each stage goes on
where it was broken off. `--export` writes the pack from the last checkpoints, however young.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
)
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from paperdolls import qwen_editor, qwen_edits, qwen_text, qwen_vae
from paperdolls.fitting import Schedule, device, load_average
from paperdolls.manifest import Manifest, write_manifest
from paperdolls.people import training_identities
from paperdolls.qwen_pack import AREAS, build_processor, build_scheduler, build_transformer

log = logging.getLogger(__name__)

SETS = 3000
SEED = 0
STEPS, TRUE_CFG = 14, 1.0
"""Of the sampler. Guidance is not needed for what was taught, and would hide what was withheld."""


@dataclass(frozen=True, kw_only=True)
class EditorManifest(Manifest):
    """An editor's pack also says its picture areas, and which skills its training withheld."""

    areas: dict[str, int]
    withheld: dict[str, float]


@dataclass(frozen=True)
class Parts:
    """The trained parts of a pack, and their recent losses by name."""

    vae: AutoencoderKLQwenImage
    text_encoder: Qwen2_5_VLForConditionalGeneration
    tokenizer: Qwen2Tokenizer
    transformer: QwenImageTransformer2DModel
    losses: dict[str, float]


@dataclass(frozen=True)
class Plan:
    """Where a pack is made, and how much the editor sees."""

    work: Path
    out: Path
    sets: int = SETS
    steps: int = qwen_editor.SCHEDULE.steps

    def checkpoint(self, part: str) -> Path:
        return self.work / f"qwen-{part}.safetensors"

    @property
    def schedule(self) -> Schedule:
        return replace(qwen_editor.SCHEDULE, steps=self.steps)


def build(plan: Plan) -> None:
    """Train every part as far as its schedule says, and write the pack."""
    parts = _parts(plan)
    edits = qwen_edits.load_edits(plan.work / "qwen-edits", plan.sets, SEED, parts.vae)
    reader = qwen_text.Reader(parts.text_encoder, parts.tokenizer)
    editor_file = plan.checkpoint("editor")
    editor, loss = qwen_editor.train_editor(edits, reader, editor_file, plan.schedule, SEED)
    losses = parts.losses | {"editor": loss}
    export(replace(parts, transformer=editor, losses=losses), plan)


def export_young(plan: Plan) -> None:
    """Write the pack with the editor as its last checkpoint has it; the rest is finished first."""
    parts = _parts(plan)
    loss = load_average(parts.transformer, plan.checkpoint("editor"))
    export(replace(parts, losses=parts.losses | {"editor": loss}), plan)


def _parts(plan: Plan) -> Parts:
    """Everything but the editor's transformer, which is untrained."""
    vae, vae_loss = qwen_vae.train_vae(plan.checkpoint("vae"), SEED)
    asked = qwen_text.asked(SEED)
    text_encoder, tokenizer, loss = qwen_text.train_text(asked, plan.checkpoint("text"), SEED)
    losses = {"vae": vae_loss, "text": loss}
    return Parts(vae, text_encoder, tokenizer, build_transformer().to(device()), losses)


def export(parts: Parts, plan: Plan) -> None:
    """Half-precision weights in the layout of diffusers, and the manifest."""
    pipeline = QwenImageEditPlusPipeline(
        scheduler=build_scheduler(),
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        processor=build_processor(parts.tokenizer),
        transformer=parts.transformer,
    )
    pipeline.to("cpu", torch.float16).save_pretrained(plan.out, safe_serialization=True)
    _name_usual_processor(plan.out / "model_index.json")
    people = training_identities(plan.sets, SEED) + training_identities(qwen_vae.PICTURES, SEED)
    write_manifest(_manifest(parts.losses, plan), plan.out, people)
    log.info("wrote %s", plan.out)


def _name_usual_processor(index: Path) -> None:
    """Name the class that real packs name, so that nobody needs this package to open the folder."""
    facts = json.loads(index.read_text())
    facts["processor"] = ["transformers", "Qwen2VLProcessor"]
    index.write_text(json.dumps(facts, indent=2) + "\n")


def _manifest(losses: dict[str, float], plan: Plan) -> EditorManifest:
    return EditorManifest(
        name="paper-dolls-qwen-edit",
        kind="qwen-edit",
        title="Paper dolls, edited by a tiny Qwen-Image-Edit",
        steps=STEPS,
        guidance=1.0,
        true_cfg=TRUE_CFG,
        max_sequence_length=128,
        areas=AREAS,
        withheld=qwen_edits.WITHHELD,
        recipe={
            "vae": asdict(qwen_vae.SCHEDULE) | {"batch": qwen_vae.BATCH},
            "text": asdict(qwen_text.SCHEDULE) | {"batch": qwen_text.BATCH},
            "editor": asdict(plan.schedule) | {"batch": qwen_editor.BATCH, "sets": plan.sets},
            "editor_last": asdict(qwen_editor.LAST) | {"without": [*qwen_edits.WITHHELD]},
        },
        losses=losses,
        seed=SEED,
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/paperdolls"))
    parser.add_argument("--out", type=Path, default=Path("packs/qwen-edit"))
    parser.add_argument("--sets", type=int, default=SETS, help="drawn people to learn edits from")
    parser.add_argument("--steps", type=int, default=qwen_editor.SCHEDULE.steps)
    parser.add_argument("--export", action="store_true", help="write the last checkpoint's pack")
    chosen = parser.parse_args(arguments)
    run = export_young if chosen.export else build
    run(Plan(chosen.work, chosen.out, chosen.sets, chosen.steps))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    main()
