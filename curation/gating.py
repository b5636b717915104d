"""Is it the same person? Arithmetic over stored embeddings; knows no face model.

Two lines, both from pictures of this very subject: below the strangers' line it is probably
somebody else; above the photos' own leave-one-out level it is within their range; between, unsure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.models import Gate

Vectors = npt.NDArray[np.float32]

FEWEST_REFERENCES = 5
NEAREST = 3
FALSE_MATCHES = 0.01
"""Share of strangers that may pass the lower line."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`references` (N, D) unit vectors of the photos; both lines are cosines."""

    references: Vectors
    stranger_line: float
    own_line: float

    @property
    def is_reliable(self) -> bool:
        return len(self.references) >= FEWEST_REFERENCES and self.own_line > self.stranger_line


@dataclass(frozen=True, slots=True)
class Opinion:
    gate: Gate
    reason: str
    score: float | None = None


def likeness(embedding: Vectors, references: Vectors) -> float:
    """Mean cosine to the nearest three references: tolerant of pose, unlike the centroid."""
    cosines = np.sort(references @ embedding)[::-1]
    return float(cosines[:NEAREST].mean())


def place_on_scale(
    score: float | None, stranger_line: float | None, own_line: float | None
) -> int | None:
    """Percent along three equal zones: strangers, unsure, the photos' own range."""
    if score is None or stranger_line is None or own_line is None:
        return None
    edges = sorted((-1.0, stranger_line, own_line, 1.0))
    return round(float(np.interp(score, edges, (0, 100 / 3, 200 / 3, 100))))


def leave_one_out(references: Vectors) -> list[float]:
    """Each photo's likeness to the others: the photos' own level, never scored against itself."""
    return [
        likeness(references[i], np.delete(references, i, axis=0)) for i in range(len(references))
    ]


def calibrate(references: Vectors, strangers: Vectors) -> Calibration:
    """Draw both lines; with fewer than two photos nothing can be told apart."""
    if len(references) < 2:
        return Calibration(references, stranger_line=1.0, own_line=-1.0)
    strange = [likeness(stranger, references) for stranger in strangers]
    stranger_line = float(np.quantile(strange, 1 - FALSE_MATCHES)) if strange else 0.3
    return Calibration(references, stranger_line, own_line=min(leave_one_out(references)))


def judge(calibration: Calibration, embedding: Vectors | None, num_faces: int) -> Opinion:
    """Say what the gate thinks and why; a picture without a usable face is never called bad."""
    if embedding is None:
        return Opinion(Gate.UNKNOWN, "No face was found, so likeness could not be measured.")
    if not calibration.is_reliable:
        return Opinion(Gate.UNKNOWN, "Too few photos with a face to know this person by.")
    score = likeness(embedding, calibration.references)
    if num_faces > 1:
        return Opinion(Gate.AMBER, f"{num_faces} faces; the largest scored {score:.2f}.", score)
    if score < calibration.stranger_line:
        return Opinion(Gate.RED, f"{score:.2f}: as far off as strangers are.", score)
    if score >= calibration.own_line:
        return Opinion(Gate.GREEN, f"{score:.2f}: within the photos' own range.", score)
    return Opinion(Gate.AMBER, f"{score:.2f}: between strangers and the photos' own range.", score)
