from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.gating import Vectors, calibrate, judge, leave_one_out, likeness
from curation.models import Gate

WIDTH = 64


def around(centre: Vectors, count: int, noise: float, seed: int) -> Vectors:
    rng = np.random.default_rng(seed)
    vectors = centre + noise * rng.normal(size=(count, WIDTH)) / WIDTH**0.5
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def somebody(seed: int) -> Vectors:
    vector = np.random.default_rng(seed).normal(size=WIDTH)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def strangers() -> Vectors:
    return np.stack([somebody(1000 + i) for i in range(300)])


def test_the_same_person_is_green(strangers: Vectors):
    calibration = calibrate(around(somebody(1), 12, 0.5, 0), strangers)
    opinion = judge(calibration, around(somebody(1), 1, 0.2, 9)[0], 1)
    assert opinion.gate == Gate.GREEN


def test_a_stranger_is_red_with_the_score_in_words(strangers: Vectors):
    calibration = calibrate(around(somebody(1), 12, 0.5, 0), strangers)
    opinion = judge(calibration, somebody(2), 1)
    assert opinion.gate == Gate.RED
    assert "strangers" in opinion.reason


def test_no_face_is_unknown_and_never_a_low_score(strangers: Vectors):
    opinion = judge(calibrate(around(somebody(1), 12, 0.5, 0), strangers), None, 0)
    assert (opinion.gate, opinion.score) == (Gate.UNKNOWN, None)


def test_two_faces_are_for_a_person_to_judge(strangers: Vectors):
    calibration = calibrate(around(somebody(1), 12, 0.5, 0), strangers)
    assert judge(calibration, somebody(1), 2).gate == Gate.AMBER


def test_too_few_photos_judge_nobody(strangers: Vectors):
    calibration = calibrate(around(somebody(1), 4, 0.5, 0), strangers)
    assert judge(calibration, somebody(1), 1).gate == Gate.UNKNOWN


def test_a_photo_is_never_compared_with_itself():
    references = np.eye(5, WIDTH, dtype=np.float32)
    assert max(leave_one_out(references)) == 0


def test_true_pictures_fall_below_the_own_line_about_once_in_n_plus_one(strangers: Vectors):
    misses = []
    for seed in range(200):
        person = around(somebody(seed), 13, 1.0, seed)
        calibration = calibrate(person[:12], strangers)
        misses.append(likeness(person[12], person[:12]) < calibration.own_line)
    assert np.mean(misses) == pytest.approx(1 / 13, abs=0.06)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 20))
def test_likeness_is_a_cosine(seed: int, count: int):
    references = around(somebody(seed), count, 1.0, seed)
    assert -1.001 <= likeness(somebody(seed + 1), references) <= 1.001
