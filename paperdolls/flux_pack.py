"""Makes the FLUX pack: trains its parts in order and writes a folder that FluxPipeline opens.

`python -m paperdolls.flux_pack --work DIR --out DIR` goes on where it stopped; `--export` writes
what has been learnt so far. Knows files; the parts know how they are trained.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline

from paperdolls import flux_album, flux_text, flux_transformer, flux_vae
from paperdolls.fitting import load_average
from paperdolls.flux_album import load_album
from paperdolls.flux_text import T5_TOKENS, Words, train_words
from paperdolls.flux_transformer import build_transformer, train_transformer
from paperdolls.flux_vae import train_vae
from paperdolls.manifest import Manifest, write_manifest
from paperdolls.people import training_identities

PICTURES = 20_000
STEPS, GUIDANCE, TRUE_CFG = 14, 1.0, 2.0
"""How the pack is sampled."""


def train(work: Path, out: Path, pictures: int, steps: int) -> None:
    """Every part in order, each from its checkpoint, then the pack."""
    vae, vae_loss = train_vae(work)
    vae.requires_grad_(False).eval()
    words, words_loss = train_words(work)
    album = load_album(work, vae, pictures)
    schedule = replace(flux_transformer.SCHEDULE, steps=steps)
    transformer, loss = train_transformer(work, album, words, schedule)
    losses = {"vae": vae_loss, "words": words_loss, "transformer": loss}
    export(assemble(vae, words, transformer), out, losses, {"pictures": pictures, "steps": steps})


def export_checkpoints(work: Path, out: Path, pictures: int, steps: int) -> None:
    """The pack as far as the transformer's last checkpoint has come."""
    vae, vae_loss = train_vae(work)
    words, words_loss = train_words(work)
    transformer = build_transformer()
    loss = load_average(transformer, work / "flux-transformer.safetensors")
    losses = {"vae": vae_loss, "words": words_loss, "transformer": loss}
    export(assemble(vae, words, transformer), out, losses, {"pictures": pictures, "steps": steps})


def assemble(vae: AutoencoderKL, words: Words, transformer: torch.nn.Module) -> FluxPipeline:
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae,
        text_encoder=words.clip,
        tokenizer=words.clip_tokenizer,
        text_encoder_2=words.t5,
        tokenizer_2=words.t5_tokenizer,
        transformer=transformer,
    )


def export(
    pipeline: FluxPipeline, out: Path, losses: dict[str, float], trained: dict[str, int]
) -> None:
    """Half-precision weights, and the manifest that says what they are."""
    pipeline.to(torch.float16).save_pretrained(out, safe_serialization=True)
    recipe = {
        "vae": asdict(flux_vae.SCHEDULE),
        "words": asdict(flux_text.SCHEDULE),
        "transformer": asdict(flux_transformer.SCHEDULE) | {"batch": flux_transformer.BATCH},
        **trained,
    }
    people = training_identities(flux_album.PEOPLE, flux_album.SEED) + training_identities(
        flux_vae.PEOPLE, flux_vae.SEED
    )
    manifest = Manifest(
        name="paper-dolls-flux",
        kind="flux",
        title="Paper dolls, drawn by a tiny FLUX.1",
        steps=STEPS,
        guidance=GUIDANCE,
        true_cfg=TRUE_CFG,
        max_sequence_length=T5_TOKENS,
        recipe=recipe,
        losses=losses,
        seed=flux_transformer.SEED,
    )
    write_manifest(manifest, out, people)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/paperdolls"))
    parser.add_argument("--out", type=Path, default=Path("packs/flux"))
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--steps", type=int, default=flux_transformer.SCHEDULE.steps)
    parser.add_argument("--export", action="store_true", help="write the last checkpoint's pack")
    chosen = parser.parse_args(arguments)
    run = export_checkpoints if chosen.export else train
    run(chosen.work, chosen.out, chosen.pictures, chosen.steps)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    main()
