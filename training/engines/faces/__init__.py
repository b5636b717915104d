"""Finds faces in pictures and turns each into an embedding, by whatever weights lie in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.engines.face_files import Kind, find
from training.engines.faces.dlib import DlibFaces
from training.engines.faces.face import Face, FaceBackend, prominence
from training.engines.faces.five_points import Pose, pose_of, upright
from training.engines.faces.insight import STRANGERS, InsightFace
from training.engines.faces.opencv import OpenCvFaces

__all__ = [
    "STRANGERS",
    "DlibFaces",
    "Face",
    "FaceBackend",
    "InsightFace",
    "OpenCvFaces",
    "Pose",
    "open_faces",
    "pose_of",
    "prominence",
    "upright",
]

BACKENDS: dict[Kind, Callable[[Path], FaceBackend]] = {
    Kind.INSIGHTFACE: InsightFace,
    Kind.OPENCV: OpenCvFaces,
    Kind.DLIB: DlibFaces,
}


def open_faces(folder: Path) -> FaceBackend:
    """Raises EngineError: no whole set of face models lies in the folder."""
    return BACKENDS[find(folder).kind](folder)
