"""What is kept of a photo when the face models in use cannot read expressions and poses."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from curation.ingest import keep_row, store_made
from curation.models import Image, Origin, Subject
from curation.shots import VIEWS, Shot
from paperdolls.world import Scene, compose, held_out
from training.engines.faces import Face, InsightFace
from training.eyes import Eyes, geometry, measure

PACK = Path(__file__).parents[2] / "packs" / "gate"
YAWS = {"left profile": 75, "three-quarter left": 35, "front": 12,
        "three-quarter right": 35, "right profile": 75}  # fmt: skip


def seen(view: str, yaw: float | None) -> tuple[Face, int]:
    """A doll's face in `view` with its true key points, as if a 3D model had found `yaw`."""
    picture, truth = compose(
        held_out(3), Scene(Shot(view), "blue", "grey"), jitter=random.Random(1)
    )
    face = Face(
        box=tuple(truth.box),
        keypoints=np.array(truth.keypoints, np.float32),
        score=1.0,
        embedding=np.ones(1, np.float32),
        pose=None if yaw is None else (0.0, yaw, 0.0),
    )
    return face, picture.height


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_view_follows_the_yaw_and_the_side_on_which_the_nose_is(view: str, sign: int) -> None:
    assert geometry(*seen(view, sign * YAWS[view]))["view"] == view


def test_without_a_3d_model_the_view_is_left_to_people() -> None:
    assert "view" not in geometry(*seen("front", None))


def test_a_small_face_is_no_portrait() -> None:
    face, height = seen("front", 0.0)
    assert geometry(face, height)["pose"] == "portrait"
    assert "pose" not in geometry(face, height * 4)


@pytest.mark.django_db
def test_a_photo_measured_without_a_reader_is_known_for_a_portrait(subject: Subject) -> None:
    picture, _ = compose(held_out(3), Scene(Shot(), "blue", "grey"), jitter=random.Random(1))
    stored = store_made(subject, picture, origin=Origin.PHOTO, shot=None, depth=0, provenance={})
    image = keep_row(stored)
    measure(image, Eyes(InsightFace(PACK), None))
    image = Image.objects.get(pk=image.pk)
    assert (image.pose, image.view, image.expression) == ("portrait", "", "")


@pytest.mark.django_db
def test_what_a_person_said_stays(subject: Subject) -> None:
    picture, _ = compose(held_out(3), Scene(Shot(), "blue", "grey"), jitter=random.Random(1))
    said = Shot("left profile", "sad", "sitting")
    image = keep_row(
        store_made(subject, picture, origin=Origin.PHOTO, shot=said, depth=0, provenance={})
    )
    measure(image, Eyes(InsightFace(PACK), None))
    assert Image.objects.get(pk=image.pk).shot == said
