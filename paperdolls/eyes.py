"""Builds the face packs: three pairs of eyes that have learned from different people.

The gate, the automatic reviewer and the benchmark each get a detector, an embedder and a reader of
their own, so that what one was fooled by does not fool the next. `python -m paperdolls.eyes` builds
what is missing; `--longer` trains on from the kept weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from paperdolls.eyes_album import QUESTIONS, Album, draw_album, images
from paperdolls.eyes_export import export_detector, export_embedder, export_reader
from paperdolls.eyes_measure import measured
from paperdolls.eyes_nets import Detector, Reader
from paperdolls.eyes_training import (
    Recognition,
    Schedule,
    detector_loss,
    fit,
    keep,
    reader_loss,
    recognition_loss,
    resumed,
)
from paperdolls.eyes_vaes import spread, vaes
from paperdolls.world import Identity, training_identities
from training.engines.faces import STRANGERS, InsightFace
from training.engines.readers import READER

log = logging.getLogger(__name__)

PACKS = ("gate", "reviewer", "bench")
NETS = ("detector", "embedder", "reader")
DET_SIZE = (96, 96)


@dataclass(frozen=True)
class Recipe:
    """What one pack learns from, and for how long. Samples are drawings seen, with repeats."""

    seed: int
    people: int = 1200
    drawings: int = 24_000
    strangers: int = 300
    detector: int = 40_000
    embedder: int = 80_000
    reader: int = 130_000


@dataclass(frozen=True)
class Site:
    """Where one pack is built."""

    name: str
    packs: Path
    work: Path

    @property
    def folder(self) -> Path:
        return self.packs / self.name

    def kept(self, net: str) -> Path:
        return self.work / f"{self.name}-{net}.safetensors"

    def onnx(self, net: str) -> Path:
        names = {"detector": Path("det.onnx"), "embedder": Path("rec.onnx"), "reader": READER}
        return self.folder / names[net]


def people_of(name: str, recipe: Recipe) -> tuple[list[Identity], list[Identity]]:
    """Those a pack learns from, and strangers; no two packs share anybody."""
    each = recipe.people + recipe.strangers
    everybody = training_identities(each * len(PACKS), seed=20_000)
    mine = everybody[PACKS.index(name) :: len(PACKS)]
    return mine[: recipe.people], mine[recipe.people :]


def train(net: str, site: Site, recipe: Recipe, album: Album) -> float:
    """Train one network on from where it stands, keep it, and export it. Returns its loss."""
    plan = Schedule(getattr(recipe, net), recipe.seed)
    path = site.kept(net)
    if net == "detector":
        detector = resumed(Detector(), path)
        loss = fit(detector, detector_loss(detector, album, recipe.seed), len(album), plan)
        keep(detector, path)
        export_detector(detector, site.onnx(net))
    elif net == "embedder":
        recognition = resumed(Recognition(recipe.people), path)
        loss = fit(recognition, recognition_loss(recognition, album, plan.seed), len(album), plan)
        keep(recognition, path)
        export_embedder(recognition.embedder, site.onnx(net))
    else:
        reader = resumed(Reader({name: len(words) for name, words in QUESTIONS.items()}), path)
        loss = fit(reader, reader_loss(reader, album, plan.seed), len(album), plan)
        keep(reader, path)
        export_reader(reader, site.onnx(net))
    return loss


def write_strangers(site: Site, people: list[Identity], seed: int) -> None:
    """Embed people whom nobody knows, for the impostor floor."""
    eyes = InsightFace(site.folder)
    album = draw_album(people, len(people), seed, rough=False)
    found = [eyes.faces(picture) for picture in images(album.pictures)]
    bank = np.stack([faces[0].embedding for faces in found if faces])
    save_file({"embeddings": bank.astype(np.float16)}, site.folder / STRANGERS)


def write_facts(site: Site, recipe: Recipe, losses: dict[str, float]) -> None:
    files = sorted(
        path for path in site.folder.rglob("*") if path.suffix in (".onnx", ".safetensors")
    )
    facts = {
        "name": site.name,
        "kind": "faces",
        "title": f"Paper-doll eyes: {site.name}",
        "licence": "Apache-2.0",
        "size": DET_SIZE[0],
        "det_size": DET_SIZE,
        "files": {str(path.relative_to(site.folder)): sha256(path) for path in files},
        "identities": "identities.txt",
        "recipe": asdict(recipe),
        "losses": losses,
        "seed": recipe.seed,
    }
    path = site.folder / "pack.json"
    path.write_text(json.dumps(facts, indent=1) + "\n")
    facts["accuracy"] = measured(site.packs, site.name)
    path.write_text(json.dumps(facts, indent=1) + "\n")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(site: Site, recipe: Recipe, nets: list[str]) -> None:
    people, strangers = people_of(site.name, recipe)
    album = draw_album(people, recipe.drawings, recipe.seed)
    album = replace(album, pictures=spread(album.pictures, vaes(site.packs)))
    path = site.work / f"{site.name}-losses.json"
    losses = json.loads(path.read_text()) if path.is_file() else {}
    for net in nets:
        losses[net] = train(net, site, recipe, album)
        path.write_text(json.dumps(losses))
    (site.folder / "identities.txt").write_text("".join(f"{one.code}\n" for one in people))
    write_strangers(site, strangers, recipe.seed)
    write_facts(site, recipe, losses)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packs", type=Path, default=Path("packs"))
    parser.add_argument("--work", type=Path, default=Path("var/packs"), help="weights under way")
    parser.add_argument("--only", nargs="*", choices=PACKS, default=PACKS)
    parser.add_argument("--nets", nargs="*", choices=NETS, default=NETS)
    parser.add_argument(
        "--longer", type=float, default=0.0, help="train on, by so much of the recipe"
    )
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    for name in options.only:
        site = Site(name, options.packs, options.work)
        recipe = Recipe(seed=20_001 + PACKS.index(name))
        if options.longer:
            recipe = lengthened(recipe, options.longer)
        nets = [net for net in options.nets if options.longer or not site.onnx(net).is_file()]
        if nets:
            build(site, recipe, nets)


def lengthened(recipe: Recipe, share: float) -> Recipe:
    """A further round: other drawings of the same people, `share` as long."""
    return replace(
        recipe,
        seed=recipe.seed + 1000,
        **{net: int(getattr(recipe, net) * share) for net in NETS},
    )


if __name__ == "__main__":
    main()
