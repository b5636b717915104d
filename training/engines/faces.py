"""Finds faces and turns each into an embedding, through insightface's own code.

What the figures mean (calibration, thresholds, whose face it should be) is not known here.

Traps of insightface that this module keeps away from callers:

- `FaceAnalysis(name=...)` downloads what it does not find; a folder is used as it is. Only folders
  are passed on, and only if a detector and a recogniser lie in them, for otherwise it asserts.
- Files are told apart by shape, not by name: a square picture input of 96 or 192 is taken for an
  attribute or landmark model. Readers therefore live in a folder of their own.
- `Face` answers None to every unknown attribute, so that a typing error looks like "no pose".
- Pictures go in as BGR, and `embedding` comes out unnormalised.
- Very large faces are missed at 640 px alone; without a stated size it searches at 128 and 640.
- A very small face still gets an embedding, near that of nobody: see `Face.size`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
from insightface.app import FaceAnalysis
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from training.engines.base import EngineError
from training.engines.readers import quiet_options

DETECTOR_OUTPUTS = (9, 15)
"""SCRFD files that also give key points, without which faces cannot be aligned."""

STRANGERS = "strangers.safetensors"
SMALLEST_FACE = 64.0
"""px under which an embedding of a real photo says little; a folder may say otherwise of itself."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face, in pixels of the picture it was found in.

    box: left, top, right, bottom. keypoints: 5 x (x, y), in the order left eye, right eye, nose,
    left and right mouth corner, left as the viewer sees it. score: the detector's, in [0, 1].
    embedding: unit length. pose: pitch, yaw, roll in degrees, where the folder has a 3D model.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float32]
    score: float
    embedding: NDArray[np.float32]
    pose: tuple[float, float, float] | None = None

    @property
    def size(self) -> float:
        """Longer side of the box, px. Below 64 px of a real photo an embedding says little."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


class FaceBackend(Protocol):
    """Whatever finds and embeds faces. Scores of different weights are never compared."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str:
        """Of the weights."""
        ...

    @property
    def licence(self) -> str: ...

    @property
    def smallest_face(self) -> float:
        """px; the embedding of a smaller face says little."""
        ...

    def faces(self, image: Image.Image) -> list[Face]:
        """Every face, the largest and most central first."""
        ...

    def strangers(self) -> NDArray[np.float32]:
        """(n, d) unit embeddings of people who are nobody's subject; n may be 0."""
        ...


class InsightFace:
    """A folder of ONNX files in insightface's layout, run on the CPU.

    Raises:
        EngineError: the folder lacks a detector with key points or a recogniser.
    """

    def __init__(self, directory: Path, threshold: float = 0.5) -> None:
        files = weights(directory)
        facts = read_facts(directory)
        self.name = str(facts.get("name", directory.name))
        self.licence = str(facts.get("licence", "unknown: see where the weights came from"))
        self.smallest_face = float(facts.get("smallest_face", SMALLEST_FACE))
        self.sha256 = digest(list(files.values()))
        self._directory = directory
        with quiet():
            self._app = FaceAnalysis(
                name=str(directory),
                allowed_modules=["detection", "recognition", "landmark_3d_68"],
                providers=["CPUExecutionProvider"],
                sess_options=quiet_options(),
            )
            self._app.prepare(ctx_id=-1, det_thresh=threshold, det_size=facts.get("det_size"))

    def faces(self, image: Image.Image) -> list[Face]:
        rgb = np.asarray(image.convert("RGB"))
        with quiet():
            found = self._app.get(np.ascontiguousarray(rgb[:, :, ::-1]))
        faces = [face_of(one) for one in found]
        return sorted(faces, key=lambda face: prominence(face, image.size), reverse=True)

    def strangers(self) -> NDArray[np.float32]:
        path = self._directory / STRANGERS
        if not path.is_file():
            return np.zeros((0, 0), np.float32)
        bank: NDArray[np.float32] = load_file(path)["embeddings"].astype(np.float32)
        return np.asarray(bank / np.linalg.norm(bank, axis=1, keepdims=True))


def weights(directory: Path) -> dict[str, Path]:
    """The detector's and the recogniser's file.

    Raises:
        EngineError: one of them is missing.
    """
    found: dict[str, Path] = {}
    for path in sorted(directory.glob("*.onnx")):
        task = task_of(path)
        if task:
            found.setdefault(task, path)
    for task in ("detection", "recognition"):
        if task not in found:
            raise EngineError(
                f"{directory} holds no {task} model: unpack a face pack such as buffalo_l there, "
                "its .onnx files directly in the folder."
            )
    return found


def task_of(path: Path) -> str:
    """What insightface will take a file for, by its rules of shape; empty where it is neither."""
    graph = onnx.load(path, load_external_data=False).graph
    if len(graph.output) in DETECTOR_OUTPUTS:
        return "detection"
    sides = [side.dim_value for side in graph.input[0].type.tensor_type.shape.dim[2:]]
    square = len(sides) == 2 and sides[0] == sides[1] and len(graph.output) == 1
    recognises = square and sides[0] >= 112 and sides[0] != 192 and sides[0] % 16 == 0
    return "recognition" if recognises else ""


def read_facts(directory: Path) -> dict[str, Any]:
    path = directory / "pack.json"
    facts: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return facts


def digest(paths: list[Path]) -> str:
    """sha256 over the files' bytes, one after the other."""
    sha = hashlib.sha256()
    for path in paths:
        sha.update(path.read_bytes())
    return sha.hexdigest()


def face_of(found: Any) -> Face:
    left, top, right, bottom = found.bbox.tolist()
    return Face(
        box=(left, top, right, bottom),
        keypoints=np.asarray(found.kps, np.float32),
        score=float(found.det_score),
        embedding=np.asarray(found.normed_embedding, np.float32),
        pose=pose_of(found.pose),
    )


def pose_of(angles: NDArray[np.float32] | None) -> tuple[float, float, float] | None:
    if angles is None:
        return None
    pitch, yaw, roll = angles.tolist()
    return pitch, yaw, roll


def prominence(face: Face, size: tuple[int, int]) -> float:
    """Area less twice the squared distance from the middle, px², as insightface weighs it."""
    left, top, right, bottom = face.box
    off = ((left + right - size[0]) / 2, (top + bottom - size[1]) / 2)
    return (right - left) * (bottom - top) - 2 * (off[0] ** 2 + off[1] ** 2)


@contextmanager
def quiet() -> Iterator[None]:
    """Without insightface's chatter: its log, and the warnings of what it calls."""
    logging.getLogger("insightface").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
