"""What the engines are asked to draw, and what they answer: requests and errors.

Plain data, importable without torch. It does not know Django, the database, or any model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

Family = Literal["flux", "qwen-edit"]
Quantize = Literal["none", "fp8", "nf4"]
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
