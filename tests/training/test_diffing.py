"""Two runs side by side."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Image, Snapshot, SnapshotItem, Subject
from tests.curation.cast import make_image, make_photos
from tests.training.cast import make_run
from tests.training.pages import make_finished_run, make_lora
from training.models import RunKind
from training.versions.diffing import pictures, tables


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def make_snapshot(subject: Subject, *items: tuple[Image, str, float]) -> Snapshot:
    sha256 = f"{Snapshot.objects.count():064x}"
    snapshot = Snapshot.objects.create(subject=subject, purpose="character", sha256=sha256)
    for ordinal, (image, caption, weight) in enumerate(items):
        SnapshotItem.objects.create(
            snapshot=snapshot,
            ordinal=ordinal,
            image=image,
            caption=caption,
            weight=weight,
            held_out=weight == 0,
        )
    return snapshot


def test_pictures_are_told_by_what_happened_to_them(subject: Subject) -> None:
    kept, gone, new, said, weighed = make_photos(subject, 5)
    older = make_snapshot(
        subject, (kept, "a", 1), (gone, "b", 1), (said, "c", 1), (weighed, "d", 1)
    )
    newer = make_snapshot(
        subject, (kept, "a", 1), (new, "e", 1), (said, "C", 1), (weighed, "d", 0.5)
    )
    found = pictures(older, newer)
    assert [lesson.image for lesson in found.added] == [new]
    assert [lesson.image for lesson in found.removed] == [gone]
    assert [change.says for change in found.changed] == ["“c” → “C”", "weight 1 → 0.5"]
    assert found.num_alike == 1


def test_a_part_of_a_photo_counts_with_the_whole(subject: Subject) -> None:
    [photo] = make_photos(subject, 1)
    older = make_snapshot(subject, (photo, "whole", 1))
    newer = make_snapshot(subject, (photo, "whole", 1), (photo, "head", 1))
    [change] = pictures(older, newer).changed
    assert change.says == "weight 1 → 2, “whole” → “whole; head”"


def test_what_is_held_out_since_is_said_so(subject: Subject) -> None:
    [photo] = make_photos(subject, 1)
    older, newer = (make_snapshot(subject, (photo, "a", weight)) for weight in (1, 0))
    [change] = pictures(older, newer).changed
    assert change.says == "held out"


def test_only_what_differs_of_the_recipe_stands_open(subject: Subject) -> None:
    older = make_run(subject, RunKind.TRAIN, recipe={"rank": 16, "steps": 300})
    newer = make_run(subject, RunKind.TRAIN, recipe={"rank": 32, "steps": 300, "ema": 0.99})
    [recipe] = [table for table in tables(older, newer) if table.title == "Recipe"]
    assert [(line.name, line.older, line.newer) for line in recipe.different] == [
        ("ema", "—", "0.99"),
        ("rank", "16", "32"),
    ]
    assert [line.name for line in recipe.alike] == ["steps"]


def test_packages_are_told_from_what_the_training_wrote_of_itself(subject: Subject) -> None:
    older, newer = (make_run(subject, RunKind.TRAIN) for _ in range(2))
    for run, torch in ((older, "2.12"), (newer, "2.13")):
        folder = settings.RUNS / str(run.pk)
        folder.mkdir(parents=True)
        told = {"recipe": {"rank": 16}, "versions": {"torch": torch, "peft": "0.21"}}
        (folder / "recipe.json").write_text(json.dumps(told))
    title = "Code, packages and what was kept"
    [code] = [table for table in tables(older, newer) if table.title == title]
    assert [(line.name, line.newer) for line in code.different] == [("versions torch", "2.13")]
    assert [line.name for line in code.alike] == ["versions peft"]


def test_a_run_without_a_folder_says_nothing_of_packages(page: Client, subject: Subject) -> None:
    for _ in range(2):
        run = make_finished_run(subject, RunKind.GENERATE)
    words = page.get(reverse("run_diff", args=[run.pk])).content.decode()
    assert "Neither run wrote this down." in words


def test_without_a_choice_a_version_is_compared_with_the_training_before(
    page: Client, subject: Subject
) -> None:
    first = make_lora(subject, 1)
    make_image(subject, 50, origin="enriched", verdict="accepted")
    second = make_lora(subject, 2)
    answer = page.get(reverse("run_diff", args=[second.run_id]))
    assert answer.context["older"] == first.run
    assert len(answer.context["pictures"].added) == 1
    assert "char_lora_v1" in answer.content.decode()


def test_the_first_run_of_its_kind_has_nothing_to_be_compared_with(
    page: Client, subject: Subject
) -> None:
    run = make_lora(subject).run
    words = page.get(reverse("run_diff", args=[run.pk])).content.decode()
    assert "There is no other finished run like" in words


def test_a_run_of_another_subject_is_not_found(page: Client, subject: Subject) -> None:
    other = Subject.objects.create(name="Kit", slug="kit", instance_token="ohwx_kit")
    mine, theirs = make_lora(subject).run, make_lora(other).run
    url = reverse("run_diff", args=[mine.pk])
    assert page.get(url, {"with": theirs.pk}).status_code == 404
