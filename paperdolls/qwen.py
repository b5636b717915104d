"""Builds the tiny Qwen-Image-Edit pack: autoencoder, reader of instructions, editor, folder.

`python -m paperdolls.qwen` trains what is not trained yet and writes the pack; each stage goes on
where it was broken off. `--export` writes the pack from the last checkpoints, however young.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
)
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from paperdolls import qwen_editor, qwen_edits, qwen_text, qwen_vae
from paperdolls.fitting import device, load_average
from paperdolls.manifest import Manifest, write_manifest
from paperdolls.people import training_identities
from paperdolls.qwen_pack import AREAS, build_processor, build_scheduler, build_transformer

log = logging.getLogger(__name__)

SETS = 3000
SEED = 0
STEPS, TRUE_CFG = 14, 2.0
"""Of the sampler, as measured: fewer steps blur, more guidance hardens."""


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


def checkpoint(work: Path, part: str) -> Path:
    return work / f"qwen-{part}.safetensors"


def build(work: Path, out: Path, sets: int = SETS) -> None:
    """Train every part in `work` as far as its schedule says, and write the pack to `out`."""
    vae, vae_loss = qwen_vae.train_vae(checkpoint(work, "vae"), SEED)
    asked = qwen_text.asked(SEED)
    text_encoder, tokenizer, text_loss = qwen_text.train_text(asked, checkpoint(work, "text"), SEED)
    edits = qwen_edits.load_edits(work / "qwen-edits", sets, SEED, vae)
    reader = qwen_text.Reader(text_encoder, tokenizer)
    editor_file = checkpoint(work, "editor")
    transformer, loss = qwen_editor.train_editor(edits, reader, editor_file, SEED)
    losses = {"vae": vae_loss, "text": text_loss, "editor": loss}
    export(Parts(vae, text_encoder, tokenizer, transformer, losses), out, sets)


def export_young(work: Path, out: Path, sets: int = SETS) -> None:
    """Write the pack with the editor as its last checkpoint has it; the rest must be finished."""
    vae, vae_loss = qwen_vae.train_vae(checkpoint(work, "vae"), SEED)
    asked = qwen_text.asked(SEED)
    text_encoder, tokenizer, text_loss = qwen_text.train_text(asked, checkpoint(work, "text"), SEED)
    transformer = build_transformer().to(device())
    losses = {"vae": vae_loss, "text": text_loss}
    losses["editor"] = load_average(transformer, checkpoint(work, "editor"))
    export(Parts(vae, text_encoder, tokenizer, transformer, losses), out, sets)


def export(parts: Parts, out: Path, sets: int) -> None:
    """Half-precision weights in the layout of diffusers, and the manifest."""
    pipeline = QwenImageEditPlusPipeline(
        scheduler=build_scheduler(),
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        processor=build_processor(parts.tokenizer),
        transformer=parts.transformer,
    )
    pipeline.to("cpu", torch.float16).save_pretrained(out, safe_serialization=True)
    _name_usual_processor(out / "model_index.json")
    people = training_identities(sets, SEED) + training_identities(qwen_vae.PICTURES, SEED)
    write_manifest(_manifest(parts.losses, sets), out, people)
    log.info("wrote %s", out)


def _name_usual_processor(index: Path) -> None:
    """Name the class that real packs name, so that nobody needs this package to open the folder."""
    facts = json.loads(index.read_text())
    facts["processor"] = ["transformers", "Qwen2VLProcessor"]
    index.write_text(json.dumps(facts, indent=2) + "\n")


def _manifest(losses: dict[str, float], sets: int) -> EditorManifest:
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
            "editor": asdict(qwen_editor.SCHEDULE) | {"batch": qwen_editor.BATCH, "sets": sets},
        },
        losses=losses,
        seed=SEED,
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/paperdolls"))
    parser.add_argument("--out", type=Path, default=Path("packs/qwen-edit"))
    parser.add_argument("--sets", type=int, default=SETS, help="drawn people to learn edits from")
    parser.add_argument("--export", action="store_true", help="write the last checkpoint's pack")
    chosen = parser.parse_args(arguments)
    run = export_young if chosen.export else build
    run(chosen.work, chosen.out, chosen.sets)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    main()
