"""Turn a job's pictures and words into tensors once, and remember them on disk by their content.

Only what is missing is encoded, so a resumed training never loads the encoders again. Knows the
job and the cache folder; how a family encodes is behind Encoders.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from training.engines.base import EngineError, Example, Job, Sample
from training.engines.checkpoint import write_atomically
from training.engines.drawing import open_picture

Words = dict[str, Tensor]
"""What a family's text encoders say of one sentence (and, for an editor, of its sources)."""


class Encoders(Protocol):
    """A base's VAE and text encoders."""

    no_words: str

    def target(self, image: Image.Image) -> Tensor:
        """Latents (C, H, W) of a picture to learn."""

    def control(self, image: Image.Image) -> Tensor:
        """Latents (C, H, W) of a source, as the pipeline sees sources."""

    def words(self, text: str, controls: list[Image.Image]) -> Words: ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example, ready to train on. `target` is None for a sample, which has none."""

    target: Tensor | None
    words: Words
    wordless: Words
    controls: tuple[Tensor, ...]


@dataclass(slots=True)
class Cache:
    """Tensors on disk under the hash of what they were made of."""

    folder: Path
    space: str
    """Whatever else decides the tensors: the base, the resolution, the number format."""
    encoders: Callable[[], Encoders]
    checkpoint: Callable[[], None]
    """Called before each encoding; may raise to stop."""
    _open: Encoders | None = None
    _digests: dict[Path, str] = field(default_factory=dict)

    def example(self, example: Example) -> Encoded:
        part = [example.crop] if example.crop else []
        key = ("target", self._digest(example.image), *part)
        target = self._tensors(key, lambda e: {"latents": e.target(_seen(example))})
        return self._encoded(example.caption, example.controls, target["latents"])

    def sample(self, sample: Sample) -> Encoded:
        return self._encoded(sample.prompt, sample.controls, None)

    def _encoded(self, text: str, paths: tuple[Path, ...], target: Tensor | None) -> Encoded:
        return Encoded(
            target=target,
            words=self._words(text, paths),
            wordless=self._words(None, paths),
            controls=tuple(self._control(path) for path in paths),
        )

    def _control(self, path: Path) -> Tensor:
        key = ("control", self._digest(path))
        return self._tensors(key, lambda e: {"latents": e.control(open_picture(path))})["latents"]

    def _words(self, text: str | None, paths: tuple[Path, ...]) -> Words:
        key = ("words", text, *map(self._digest, paths))
        return self._tensors(
            key,
            lambda e: e.words(e.no_words if text is None else text, [*map(open_picture, paths)]),
        )

    def _tensors(self, key: tuple[object, ...], make: Callable[[Encoders], Words]) -> Words:
        name = hashlib.sha256(json.dumps([self.space, *key]).encode()).hexdigest()
        path = self.folder / f"{name}.safetensors"
        try:
            return load_file(path)
        except (OSError, SafetensorError):
            # Absent, or cut short by a full disk: make it again.
            self.checkpoint()
        if self._open is None:
            self._open = self.encoders()
        made = {part: tensor.contiguous() for part, tensor in make(self._open).items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save(made))
        return made

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = digest(path)
        return self._digests[path]


def _seen(example: Example) -> Image.Image:
    """What is to be seen of it."""
    picture = open_picture(example.image)
    return picture.crop(example.crop) if example.crop else picture


def digest(path: Path) -> str:
    """sha256 of a file. Raises EngineError naming it when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EngineError(f"The picture {path} cannot be read: {error}") from error


def _files(example: Example) -> tuple[Path, ...]:
    return example.image, *example.controls


def data_digest(job: Job) -> str:
    """Hash of everything the examples say and show, in order."""
    facts = [
        [e.id, e.caption, e.weight, *([e.crop] if e.crop else []), *map(digest, _files(e))]
        for e in job.examples
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
