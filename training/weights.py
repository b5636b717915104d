"""Real weights: where to get them, what they cost and allow, and whether a folder holds them.

It looks at names and sizes only, so that a web page can say what is missing before any worker
tries to load. It does not import torch and does not download.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from training.models import Family

FACES = (Family.GATE, Family.REVIEWER, Family.BENCH)
PIPELINES = {Family.FLUX: "FluxPipeline", Family.QWEN_EDIT: "QwenImageEditPlusPipeline"}
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class NotWeights(Exception):
    """Says what is wrong with which folder, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWeights:
    """Weights that people use, as their authors publish them. `gigabytes` on disk."""

    name: str
    family: Family
    url: str
    download: str
    gated: bool
    gigabytes: float
    licence: str
    allows: str


KNOWN = (
    KnownWeights(
        name="FLUX.1-dev",
        family=Family.FLUX,
        url="https://huggingface.co/black-forest-labs/FLUX.1-dev",
        download="hf download black-forest-labs/FLUX.1-dev --local-dir FLUX.1-dev"
        " --exclude flux1-dev.safetensors ae.safetensors",
        gated=True,
        gigabytes=34,
        licence="FLUX.1 [dev] Non-Commercial License",
        allows="Commercial use needs a licence of Black Forest Labs; read its terms on outputs.",
    ),
    KnownWeights(
        name="Qwen-Image-Edit-2509",
        family=Family.QWEN_EDIT,
        url="https://huggingface.co/Qwen/Qwen-Image-Edit-2509",
        download="hf download Qwen/Qwen-Image-Edit-2509 --local-dir Qwen-Image-Edit-2509",
        gated=False,
        gigabytes=58,
        licence="Apache-2.0",
        allows="Free to use, also commercially.",
    ),
    KnownWeights(
        name="Qwen-Image-Edit-2511",
        family=Family.QWEN_EDIT,
        url="https://huggingface.co/Qwen/Qwen-Image-Edit-2511",
        download="hf download Qwen/Qwen-Image-Edit-2511 --local-dir Qwen-Image-Edit-2511",
        gated=False,
        gigabytes=58,
        licence="Apache-2.0",
        allows="Free to use, also commercially. Its authors say it keeps people better than 2509.",
    ),
    KnownWeights(
        name="buffalo_l",
        family=Family.GATE,
        url="https://github.com/deepinsight/insightface/releases/tag/v0.7",
        download="Unpack buffalo_l.zip into a folder named buffalo_l.",
        gated=False,
        gigabytes=0.4,
        licence="Non-commercial research only",
        allows="The most accurate face model here, for research alone.",
    ),
    KnownWeights(
        name="AuraFace",
        family=Family.GATE,
        url="https://huggingface.co/fal/AuraFace-v1",
        download="hf download fal/AuraFace-v1 --local-dir AuraFace",
        gated=False,
        gigabytes=0.5,
        licence="Apache-2.0",
        allows="Also commercially; weaker than buffalo_l in profile views.",
    ),
    KnownWeights(
        name="Qwen2.5-VL-7B-Instruct",
        family=Family.CAPTIONER,
        url="https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct",
        download="hf download Qwen/Qwen2.5-VL-7B-Instruct --local-dir Qwen2.5-VL-7B-Instruct",
        gated=False,
        gigabytes=16.6,
        licence="Apache-2.0",
        allows="Not needed. Proposes captions, also commercially.",
    ),
    KnownWeights(
        name="antelopev2",
        family=Family.BENCH,
        url="https://github.com/deepinsight/insightface/releases/tag/v0.7",
        download="Unpack antelopev2.zip; the folder to choose is the inner one, with .onnx files.",
        gated=False,
        gigabytes=0.4,
        licence="Non-commercial research only",
        allows="Scores cards by other weights than the gate's, for research alone.",
    ),
)


def inspect(folder: Path, family: str) -> int:
    """Return the size of the folder in bytes.

    Raises:
        NotWeights: it is not a whole folder of that family's weights.
    """
    if not folder.is_absolute():
        raise NotWeights(f"Write the whole path, beginning with /. {folder} is relative.")
    if not folder.is_dir():
        raise NotWeights(f"There is no folder {folder} on this machine.")
    if family in FACES:
        _refuse_without_face_models(folder)
    elif family == Family.CAPTIONER:
        _refuse_without_safetensors(folder)
    else:
        _refuse_incomplete_pipeline(folder, PIPELINES[Family(family)])
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _refuse_without_face_models(folder: Path) -> None:
    if not any(folder.glob("*.onnx")):
        raise NotWeights(
            f"{folder} has no .onnx files. Choose the folder that holds the detector and the "
            "recogniser themselves, such as det_10g.onnx and w600k_r50.onnx."
        )


def _refuse_without_safetensors(folder: Path) -> None:
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise NotWeights(
            f"{folder} has no config.json with .safetensors beside it. Choose the folder in "
            "transformers' layout, such as Qwen2.5-VL-7B-Instruct."
        )


def _refuse_incomplete_pipeline(folder: Path, wanted: str) -> None:
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        found = index["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotWeights(
            f"{folder} has no readable model_index.json. Choose the folder in diffusers' layout, "
            "the one that holds transformer/, vae/ and text_encoder/."
        ) from error
    if found != wanted:
        raise NotWeights(f"{folder} holds a {found}; this needs a {wanted}.")
    missing = missing_parts(folder, index)
    if missing:
        names = ", ".join(missing)
        raise NotWeights(f"{folder} is incomplete: {names} is missing. Download it again.")


def missing_parts(folder: Path, index: dict[str, object]) -> list[str]:
    """Parts that model_index.json names but that have no folder, no weights or lack a shard."""
    missing = []
    for name, part in index.items():
        if isinstance(part, list) and part[0]:
            if not (folder / name).is_dir():
                missing.append(name)
            elif _holds_only_pickles(folder / name):
                missing.append(f"{name}/*.safetensors (pickle files are never opened)")
    for shards in folder.glob("*/*.safetensors.index.json"):
        names = set(json.loads(shards.read_text(encoding="utf-8"))["weight_map"].values())
        missing += [f"{shards.parent.name}/{n}" for n in names if not (shards.parent / n).exists()]
    return sorted(missing)


def _holds_only_pickles(part: Path) -> bool:
    suffixes = {path.suffix for path in part.iterdir()}
    return bool(suffixes.intersection(PICKLES)) and ".safetensors" not in suffixes
