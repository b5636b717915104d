"""What is technically wrong with a subject's pictures, and which look the same: by what is stored.

Pictures are compared with the subject's own photos: what is small or blurred for one camera is
usual for another. What was not measured is not faulty; it is counted, so that the page can say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from curation.duplicates import groups
from curation.models import Image, Origin, Subject
from curation.nearest import measurement_of

SMALL = 512
"""Pixels of the short side under which a picture gives less detail than training sees."""
SMALL_FACE = 64
"""Pixels under which a face model tells little (see `Measurement.face`)."""
OF_THE_USUAL_SIDE, OF_THE_USUAL_FACE, OF_THE_USUAL_SHARPNESS = 0.75, 0.5, 0.25
"""Shares of the photos' median: above them a picture is as the others are."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Medians of the photos: short side and face in pixels, sharpness; None where unmeasured."""

    side: float | None
    face: float | None
    sharpness: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    image: Image
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Findings:
    """`alike` are groups of two or more, the sharpest first. `kept` are those that a person keeps
    anyway."""

    faulty: list[Finding]
    alike: list[list[Image]]
    kept: list[Image]
    num_unmeasured: int

    @property
    def num_alike(self) -> int:
        """How many pictures could go without any being missed."""
        return sum(len(group) - 1 for group in self.alike)


def findings(subject: Subject) -> Findings:
    """Of every picture that may train. One query."""
    images = list(
        Image.objects.trainable()
        .filter(subject=subject)
        .select_related("measurement")
        .defer("measurement__embedding")
        .order_by("pk")
    )
    usual = usual_of([image for image in images if image.origin == Origin.PHOTO])
    fresh = [image for image in images if not image.kept_anyway]
    found = [Finding(image, list(reasons(image, usual))) for image in fresh]
    return Findings(
        faulty=[finding for finding in found if finding.reasons],
        alike=alike(images),
        kept=[image for image in images if image.kept_anyway],
        num_unmeasured=sum(measurement_of(image) is None for image in images),
    )


def usual_of(photos: Sequence[Image]) -> Usual:
    measured = [seen for photo in photos if (seen := measurement_of(photo))]
    faces = [face for photo in photos if _is_portrait(photo) and (face := _face(photo))]
    return Usual(
        side=_median([min(photo.width, photo.height) for photo in photos]),
        face=_median(faces),
        sharpness=_median([seen.sharpness for seen in measured]),
    )


def reasons(image: Image, usual: Usual) -> Iterator[str]:
    for check in _CHECKS:
        if reason := check(image, usual):
            yield reason


def _too_small(image: Image, usual: Usual) -> str:
    side = min(image.width, image.height)
    if usual.side is None or side >= min(SMALL, OF_THE_USUAL_SIDE * usual.side):
        return ""
    return f"Small: {image.width} by {image.height} pixels."


def _faces(image: Image, _: Usual) -> str:
    seen = measurement_of(image)
    if seen is None or seen.num_faces == 1:
        return ""
    if seen.num_faces == 0:
        return "No face was found, so nothing says who it is."
    return f"{seen.num_faces} faces: training cannot tell whose name it is."


def _face_too_small(image: Image, usual: Usual) -> str:
    face = _face(image)
    if face is None or usual.face is None or not _is_portrait(image):
        return ""
    if face >= min(SMALL_FACE, OF_THE_USUAL_FACE * usual.face):
        return ""
    return f"Its face is small: {face:.0f} pixels."


def _blurred(image: Image, usual: Usual) -> str:
    seen = measurement_of(image)
    if seen is None or not usual.sharpness:
        return ""
    share = seen.sharpness / usual.sharpness
    if share >= OF_THE_USUAL_SHARPNESS:
        return ""
    return f"Blurred: {share:.0%} as sharp as the photos usually are."


_CHECKS: tuple[Callable[[Image, Usual], str], ...] = (
    _too_small,
    _faces,
    _face_too_small,
    _blurred,
)


def alike(images: Sequence[Image]) -> list[list[Image]]:
    """Of the same shot as far as it is known. Settled where a person keeps all of it but one."""
    pairs = [(image, seen) for image in images if (seen := measurement_of(image))]
    found = [
        same
        for group in groups([seen.phash for _, seen in pairs])
        for same in _by_shot([pairs[place][0] for place in group])
        if sum(not image.kept_anyway for image in same) > 1
    ]
    return [sorted(same, key=lambda image: -image.measurement.sharpness) for same in found]


def _by_shot(images: Sequence[Image]) -> list[list[Image]]:
    shots: dict[object, list[Image]] = {}
    for image in images:
        shots.setdefault(image.shot, []).append(image)
    return list(shots.values())


def _is_portrait(image: Image) -> bool:
    return image.pose in ("", "portrait")


def _face(image: Image) -> float | None:
    """Its smaller side, pixels."""
    seen = measurement_of(image)
    return float(seen.face["size"]) if seen and seen.face else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
