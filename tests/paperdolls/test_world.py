"""The tiny world keeps its promises: who is held out, what is hidden, where the face is."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest
from PIL import Image, ImageChops, ImageStat

from curation.shots import EXPRESSIONS, POSES, VIEWS, Shot
from paperdolls.people import APART, HELD_OUT
from paperdolls.world import (
    TRAITS,
    Identity,
    Scene,
    compose,
    draw,
    held_out,
    training_identities,
    truth,
)

SHOTS = [Shot(v, e) for v in VIEWS for e in EXPRESSIONS] + [
    Shot(v, e, p) for v in VIEWS[1:4] for e in EXPRESSIONS[:2] for p in POSES[1:]
]


def test_held_out_people_are_apart_from_each_other() -> None:
    people = [held_out(seed) for seed in range(HELD_OUT)]
    assert all(one.distance(other) >= APART for one, other in combinations(people, 2))


@pytest.mark.parametrize("seed", range(3))
def test_nobody_trained_on_is_close_to_a_held_out_person(seed: int) -> None:
    people = [held_out(seed) for seed in range(HELD_OUT)]
    trained = training_identities(2000, seed)
    assert len(set(trained)) == 2000
    assert all(person.is_apart_from(people) for person in trained)


def test_a_code_names_one_identity() -> None:
    person = held_out(5)
    assert Identity.from_code(person.code) == person
    assert len(person.code) == len(TRAITS)


@pytest.mark.parametrize("shot", SHOTS, ids=str)
def test_a_trait_shows_in_a_portrait_exactly_where_the_truth_says(shot: Shot) -> None:
    scene, person = Scene(shot, "red", "grey"), replace(held_out(0), style=0, extra=0)
    picture, facts = compose(person, scene)
    for trait, values in TRAITS.items():
        changed = replace(person, **{trait: (getattr(person, trait) + 1) % len(values)})
        same = ImageChops.difference(picture, draw(changed, scene)).getbbox() is None
        if trait in facts.visible:
            assert not same, trait
        elif shot.is_portrait:
            assert same, trait


def test_the_same_jitter_gives_the_same_picture_and_its_truth() -> None:
    person, scene = held_out(1), Scene(Shot("three-quarter right"), "blue", "sand")
    picture, facts = compose(person, scene, jitter=random.Random(4))
    assert draw(person, scene, jitter=random.Random(4)).tobytes() == picture.tobytes()
    assert truth(person, scene, jitter=random.Random(4)) == facts
    assert facts != truth(person, scene)


@pytest.mark.parametrize("shot", SHOTS, ids=str)
def test_key_points_lie_near_the_face_with_the_viewers_left_first(shot: Shot) -> None:
    facts = truth(held_out(2), Scene(shot, "red", "grey"), size=192)
    left, right, nose, mouth_left, mouth_right = facts.keypoints
    x0, y0, x1, y1 = facts.box
    assert 0 <= x0 < x1 <= 192
    assert 0 <= y0 < y1 <= 192
    assert left[0] < right[0]
    assert mouth_left[0] < mouth_right[0]
    assert all(x0 - 8 <= x <= x1 + 8 and y0 <= y <= y1 for x, y in facts.keypoints)
    assert left[1] < nose[1] < mouth_left[1]


def test_left_and_right_views_are_mirror_images() -> None:
    person = held_out(3)
    left = draw(person, Scene(Shot("left profile"), "red", "grey"))
    right = draw(person, Scene(Shot("right profile"), "red", "grey"))
    mirrored = right.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    difference = ImageStat.Stat(ImageChops.difference(left, mirrored))
    assert max(difference.mean) < 1


def test_a_picture_can_be_drawn_at_any_size() -> None:
    assert draw(held_out(4), Scene(Shot(pose="sitting"), "red", "grey"), size=224).size == (
        224,
        224,
    )


def test_random_scenes_keep_bodies_to_views_that_show_them() -> None:
    rng = random.Random(0)
    shots = [Scene.random(rng).shot for _ in range(500)]
    assert {shot.pose for shot in shots} == set(POSES)
    bodies = [shot for shot in shots if not shot.is_portrait]
    assert all("profile" not in shot.view for shot in bodies)
    assert {shot.expression for shot in bodies} == {"neutral", "smiling"}
