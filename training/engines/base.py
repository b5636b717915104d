"""What the engines are asked and what they answer: requests, recipes, training jobs, errors.

Plain data, importable without torch. It does not know Django, the database, or any model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image

Family = Literal["flux", "qwen-edit"]
Quantize = Literal["none", "fp8", "nf4"]
LEAST = {
    "steps": 1, "batch_size": 1, "rank": 1, "alpha": 1, "checkpoint_every": 1,
    "seed": 0, "warmup_steps": 0, "weight_decay": 0, "resolution": 0, "sample_every": 0,
    "caption_dropout": 0, "decay": 0, "learning_rate": 1e-8, "timestep_std": 1e-3,
}  # fmt: skip
"""The least that each number of a recipe may be."""
OnStep = Callable[[int, int], None]
"""Called with (step, steps) after every denoising step; it may raise Cancelled."""


class EngineError(Exception):
    """Its text tells a person what happened, to which input, and what to do next."""


class OutOfMemory(EngineError):
    """The GPU is full; whoever holds a model there lets it go."""

    def __init__(self, doing: str) -> None:
        super().__init__(
            f"The GPU ran out of memory while {doing}. Close what else uses it, then press Resume."
        )


class Cancelled(Exception):
    """Raised by a caller's on_step to stop a picture within one denoising step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraRef:
    """A LoRA file to draw with. The same sha256 is never loaded twice by one engine."""

    path: Path
    sha256: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """A picture from words. None means the pack's own default; sizes are pixels."""

    prompt: str
    seed: int
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    true_cfg: float | None = None
    first_block_cache: float = 0.0
    """Threshold under which a step keeps what all but the first block added; 0 draws exactly."""
    loras: tuple[LoraRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """A picture from one to three pictures and an instruction. None means the pack's default."""

    images: tuple[Image.Image | Path, ...]
    instruction: str
    seed: int
    steps: int | None = None
    true_cfg: float | None = None
    shift: float | None = None
    """Of the sigmas, where a distilled LoRA asks for its own; None for the base's."""
    first_block_cache: float = 0.0
    """As of a GenerateRequest."""
    loras: tuple[LoraRef, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.images) <= 3:
            raise ValueError(f"images: an edit takes one to three pictures, not {len(self.images)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything but the data that decides what a LoRA becomes. Immutable; JSON by asdict / **.

    Noise levels are sigmoid(N(timestep_mean, timestep_std)) (Esser et al. 2024, logit-normal);
    a flow shift s is timestep_mean = ln s. alpha / rank scales the adapter (Hu et al. 2021).
    The learning rate warms up, stays, and falls to 0 over the last `decay` of the steps, 0..1.
    """

    family: Family
    steps: int = 1000
    batch_size: int = 1
    learning_rate: float = 1e-4
    warmup_steps: int = 10
    decay: float = 0.0
    weight_decay: float = 1e-4
    rank: int = 16
    alpha: int = 16
    seed: int = 0
    caption_dropout: float = 0.05
    timestep_mean: float = 0.0
    timestep_std: float = 1.0
    resolution: int = 0
    """Side in pixels of a square with the area trained at; 0 is the pack's own."""
    checkpoint_every: int = 250
    sample_every: int = 0
    """Steps between sample pictures; 0 draws none."""
    quantize: Quantize = "none"
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}: must be at least {least}, not {getattr(self, name)}")
        for name in ("caption_dropout", "decay"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name}: must be at most 1, not {getattr(self, name)}")
        for name, known in (("family", get_args(Family)), ("quantize", get_args(Quantize))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: must be {' or '.join(known)}, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One training picture: its words (caption or instruction), and for an editor its sources.

    `weight` is how often it is seen, relative to the other examples. `crop` is what is seen of it:
    left, top, right, bottom in pixels; None for the whole.
    """

    id: str
    image: Path
    caption: str
    controls: tuple[Path, ...] = ()
    weight: float = 1.0
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture the training draws at checkpoints so that people see how it goes."""

    prompt: str
    seed: int
    controls: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training run. `folder` holds everything it writes; job.json in it is this Job."""

    recipe: Recipe
    base: Path
    folder: Path
    examples: tuple[Example, ...]
    samples: tuple[Sample, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0
    """CPU threads; 0 lets torch choose. Exact resume asks for the same number both times."""

    def __post_init__(self) -> None:
        if not self.examples:
            raise ValueError("examples: a training needs at least one picture")
        allowed = (1, 3) if self.recipe.family == "qwen-edit" else (0, 0)
        for controls in [*(e.controls for e in self.examples), *(s.controls for s in self.samples)]:
            if not allowed[0] <= len(controls) <= allowed[1]:
                raise ValueError(
                    f"controls: {self.recipe.family} takes {allowed[0]} to {allowed[1]} sources "
                    f"with every picture, not {len(controls)}"
                )

    def write(self) -> Path:
        """Write folder/job.json, making the folder; returns its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "job.json"
        path.write_text(json.dumps(asdict(self), default=str, indent=1), encoding="utf-8")
        return path

    @classmethod
    def read(cls, folder: Path) -> Job:
        """Read folder/job.json. Raises EngineError when it is missing or not a job."""
        path = folder / "job.json"
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                recipe=Recipe(**fields.pop("recipe")),
                base=Path(fields.pop("base")),
                folder=Path(fields.pop("folder")),
                examples=tuple(_example(row) for row in fields.pop("examples")),
                samples=tuple(_sample(row) for row in fields.pop("samples")),
                **fields,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineError(f"The training job {path} cannot be read: {error}") from error


def _example(row: dict[str, Any]) -> Example:
    controls = tuple(map(Path, row["controls"]))
    crop = tuple(row["crop"]) if row.get("crop") else None
    return Example(**{**row, "image": Path(row["image"]), "controls": controls, "crop": crop})


def _sample(row: dict[str, Any]) -> Sample:
    return Sample(**{**row, "controls": tuple(map(Path, row["controls"]))})
