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
Keep = Literal["last", "likest"]
TimestepShift = Literal["none", "resolution"]
LEAST = {
    "steps": 1, "batch_size": 1, "rank": 1, "alpha": 1, "checkpoint_every": 1,
    "keep_checkpoints": 1, "seed": 0, "warmup_steps": 0, "weight_decay": 0, "sample_every": 0,
    "caption_dropout": 0, "decay": 0, "ema": 0, "preservation": 0, "outside_mask": 0, "bucket": 0,
    "early_stop": 0, "learning_rate": 1e-8, "timestep_std": 1e-3,
}  # fmt: skip
"""The least that each number of a recipe may be."""
MOST = {
    "steps": 100_000, "learning_rate": 1, "rank": 256, "decay": 1, "ema": 0.9999,
    "caption_dropout": 1, "preservation": 1, "outside_mask": 1,
}  # fmt: skip
"""The most, of those that have one."""
VAE_MULTIPLE = 16
"""Pixels of a token's side: 8 to a latent, 2 latents to a token, in FLUX and Qwen-Image."""
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
    loras: tuple[LoraRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """A picture from one to three pictures and an instruction. None means the pack's default."""

    images: tuple[Image.Image | Path, ...]
    instruction: str
    seed: int
    steps: int | None = None
    true_cfg: float | None = None
    loras: tuple[LoraRef, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.images) <= 3:
            raise ValueError(f"images: an edit takes one to three pictures, not {len(self.images)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything but the data that decides what a LoRA becomes. Immutable; JSON by asdict / **.

    Noise levels are sigmoid(N(timestep_mean, timestep_std) + mu) (Esser et al. 2024, logit-normal);
    mean 0 and deviation 1 are what trainers call sigmoid. mu is 0, or with timestep_shift
    `resolution` what the base's own scheduler moves its levels by at that many tokens, so that
    large pictures are trained noisier; exp(mu) is the flow shift. alpha / rank scales the adapter
    (Hu et al. 2021). The learning rate warms up, stays, and falls to 0 over the last `decay` of
    the steps, 0..1.
    """

    family: Family
    steps: int = 1000
    batch_size: int = 1
    learning_rate: float = 1e-4
    warmup_steps: int = 10
    decay: float = 0.0
    weight_decay: float = 1e-4
    ema: float = 0.0
    """Decay of the running average of the weights, which is what is kept; 0 keeps the last."""
    rank: int = 16
    alpha: int = 16
    seed: int = 0
    caption_dropout: float = 0.05
    preservation: float = 0.0
    """Share of pictures shown in words of the class, with what the base makes of those as the
    target (differential output preservation), so that the rest of the class keeps its looks."""
    outside_mask: float = 1.0
    """Weight of the loss outside an example's mask, relative to inside; 1 heeds no mask."""
    timestep_mean: float = 0.0
    timestep_std: float = 1.0
    timestep_shift: TimestepShift = "none"
    resolution: int | tuple[int, ...] = 0
    """Side in pixels of a square with the area trained at, or several that take turns, step by
    step; 0 is the pack's own."""
    bucket: int = 0
    """Step in pixels of a picture's sides at that area, so that many are of one shape; 0 is
    VAE_MULTIPLE. An editor's sides are its pipeline's, multiples of 32."""
    checkpoint_every: int = 250
    keep_checkpoints: int = 2
    sample_every: int = 0
    """Steps between sample pictures; 0 draws none."""
    keep: Keep = "last"
    """Which checkpoint becomes the LoRA: the last, or the likest of those that were sampled."""
    early_stop: int = 0
    """Sampled checkpoints in a row without a gain, after which training ends; 0 never ends it."""
    quantize: Quantize = "none"
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.resolution, int):  # JSON knows no tuples.
            object.__setattr__(self, "resolution", tuple(self.resolution))
        self._refuse_numbers()
        for name, kind in CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                known = " or ".join(get_args(kind))
                raise ValueError(f"{name}: must be {known}, not {getattr(self, name)}")

    def _refuse_numbers(self) -> None:
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}: must be at least {least}, not {getattr(self, name)}")
        for name, most in MOST.items():
            if getattr(self, name) > most:
                raise ValueError(f"{name}: must be at most {most}, not {getattr(self, name)}")
        if any(side < VAE_MULTIPLE for side in self.sides):
            raise ValueError(f"resolution: must be at least {VAE_MULTIPLE}, not {self.resolution}")
        if self.bucket % VAE_MULTIPLE:
            raise ValueError(f"bucket: must be a multiple of {VAE_MULTIPLE}, not {self.bucket}")

    @property
    def sides(self) -> tuple[int, ...]:
        """The resolutions that take turns; none where the pack's own is meant."""
        if isinstance(self.resolution, tuple):
            return self.resolution
        return (self.resolution,) if self.resolution else ()


CHOICES = {
    "family": Family, "quantize": Quantize, "timestep_shift": TimestepShift, "keep": Keep,
}  # fmt: skip
"""The words that a recipe may choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One training picture: its words (caption or instruction), and for an editor its sources.

    `weight` is how often it is seen, relative to the other examples. `crop` is what is seen of it:
    left, top, right, bottom in pixels; None for the whole. `class_caption` is the caption with the
    class in place of the instance; without one nothing is preserved by it. `mask` is an 8-bit grey
    picture as large as `image`, white where an edit was to change it.
    """

    id: str
    image: Path
    caption: str
    class_caption: str = ""
    controls: tuple[Path, ...] = ()
    mask: Path | None = None
    weight: float = 1.0
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture the training draws at checkpoints so that people see how it goes.

    `view`, `expression` and `pose` are what it asks for; what is empty is not compared.
    """

    prompt: str
    seed: int
    controls: tuple[Path, ...] = ()
    view: str = ""
    expression: str = ""
    pose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What the samples are scored by: a folder of face models, and the person's photos.

    `held_out` are photos that no training saw; where there are some, they decide.
    """

    eyes: Path
    photos: tuple[Path, ...]
    held_out: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training run. `folder` holds everything it writes; job.json in it is this Job."""

    recipe: Recipe
    base: Path
    folder: Path
    examples: tuple[Example, ...]
    samples: tuple[Sample, ...] = ()
    likeness: Likeness | None = None
    """None where nothing can score the samples; then the last step is kept."""
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
                likeness=_likeness(fields.pop("likeness", None)),
                **fields,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineError(f"The training job {path} cannot be read: {error}") from error


def _example(row: dict[str, Any]) -> Example:
    controls = tuple(map(Path, row["controls"]))
    crop = tuple(row["crop"]) if row.get("crop") else None
    mask = Path(row["mask"]) if row.get("mask") else None
    files = {"image": Path(row["image"]), "controls": controls, "mask": mask}
    return Example(**{**row, **files, "crop": crop})


def _sample(row: dict[str, Any]) -> Sample:
    return Sample(**{**row, "controls": tuple(map(Path, row["controls"]))})


def _likeness(row: dict[str, Any] | None) -> Likeness | None:
    if row is None:
        return None
    photos, held_out = (tuple(map(Path, row[name])) for name in ("photos", "held_out"))
    return Likeness(eyes=Path(row["eyes"]), photos=photos, held_out=held_out)
