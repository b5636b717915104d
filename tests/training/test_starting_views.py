from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.freezing import freeze_character
from curation.models import Image, Origin, Snapshot, Subject
from tests.curation.cast import make_item, make_photos
from tests.training.cast import make_base
from tests.training.pages import make_lora
from training.models import Family, Phase, Run, RunKind, Standing

CELLS = ["smiling, left profile", "sitting, front"]


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    make_base(Family.FLUX, "flux")
    make_base(Family.QWEN_EDIT, "qwen-edit")
    make_photos(subject)
    return client


def test_the_plan_is_ticked_at_the_holes(page: Client) -> None:
    answer = page.get(reverse("enrich", args=["juno"]))
    assert answer.context["ticked"] == answer.context["coverage"].holes
    assert answer.content.decode().count("checked") == len(answer.context["ticked"])


def test_a_plan_becomes_a_run_with_an_item_for_every_picture(page: Client) -> None:
    answer = page.post(reverse("enrich", args=["juno"]), {"shots": CELLS, "per_shot": 2})
    run = Run.objects.get()
    assert answer.url == run.get_absolute_url()
    assert run.kind == RunKind.ENRICH
    assert run.requested_by.username == "alice"
    asked = {(item.request["expression"], item.request["pose"]) for item in run.items.all()}
    assert asked == {("smiling", "portrait"), ("neutral", "sitting")}
    assert run.items.count() == 4


def test_an_empty_plan_is_refused_with_a_sentence(page: Client) -> None:
    answer = page.post(reverse("enrich", args=["juno"]), {"per_shot": 2})
    assert answer.status_code == 422
    assert "Tick at least one cell" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_refused_plan_keeps_what_was_ticked(page: Client) -> None:
    answer = page.post(reverse("enrich", args=["juno"]), {"shots": CELLS, "per_shot": 99})
    assert answer.status_code == 422
    assert [str(shot) for shot in answer.context["ticked"]] == CELLS


def test_enriching_without_photos_says_where_to_add_them(page: Client) -> None:
    Image.objects.all().delete()
    answer = page.post(reverse("enrich", args=["juno"]), {"shots": CELLS, "per_shot": 1})
    assert answer.status_code == 422
    assert "Photos page" in answer.content.decode()


def test_generating_uses_the_chosen_version(page: Client, subject: Subject) -> None:
    lora = make_lora(subject)
    plan = {"shots": CELLS, "per_shot": 1, "lora": lora.pk}
    page.post(reverse("generate", args=["juno"]), plan)
    assert Run.objects.get(kind=RunKind.GENERATE).lora == lora


def test_another_subjects_version_is_no_choice(page: Client) -> None:
    other = Subject.objects.create(name="Kit", slug="kit", instance_token="ohwx_kit")
    plan = {"shots": CELLS, "per_shot": 1, "lora": make_lora(other).pk}
    assert page.post(reverse("generate", args=["juno"]), plan).status_code == 422


def test_training_freezes_what_is_accepted_and_reads_the_snapshot(page: Client) -> None:
    page.post(reverse("train", args=["juno"]), {"phase": "head", "origins": ["photo"]})
    run = Run.objects.get()
    assert run.kind == RunKind.TRAIN
    assert run.snapshot == Snapshot.objects.get()
    assert run.recipe["phase"] == Phase.HEAD


def test_training_takes_an_older_snapshot_again(page: Client, subject: Subject) -> None:
    snapshot = make_lora(subject).snapshot
    make_item(subject, 50, verdict="accepted")
    page.post(reverse("train", args=["juno"]), {"phase": "body", "snapshot": snapshot.pk})
    assert Run.objects.latest("pk").snapshot == snapshot


def test_a_control_is_trained_from_the_photos_alone(page: Client, subject: Subject) -> None:
    make_item(subject, 50, verdict="accepted")
    order = {"phase": "head", "origins": ["photo", "enriched"], "control": "on"}
    page.post(reverse("train", args=["juno"]), order)
    run = Run.objects.get()
    origins = set(run.snapshot.items.values_list("image__origin", flat=True))
    assert run.recipe["control"] is True
    assert origins == {Origin.PHOTO}


def test_a_person_may_train_longer_than_the_recipe(page: Client) -> None:
    order = {"phase": "head", "origins": ["photo"], "steps": 600, "learning_rate": ""}
    page.post(reverse("train", args=["juno"]), order)
    run = Run.objects.get()
    assert (run.recipe["steps"], run.total) == (600, 600)


def test_training_on_too_few_photos_is_refused(page: Client) -> None:
    Image.objects.first().move_to_trash()
    Image.objects.in_use().first().move_to_trash()
    order = {"phase": "head", "origins": ["photo"]}
    answer = page.post(reverse("train", args=["juno"]), order)
    assert answer.status_code == 422
    assert "at least 5 are needed" in answer.content.decode()


def test_preflight_names_the_folder_that_is_missing(page: Client) -> None:
    make_base(Family.GATE, "no-such-pack")
    words = page.get(reverse("enrich", args=["juno"])).content.decode()
    assert "no-such-pack" in words


def test_a_benchmark_draws_every_cell_of_the_card_under_four_seeds(
    page: Client, subject: Subject
) -> None:
    lora = make_lora(subject)
    page.post(reverse("benchmark", args=["juno"]), {"lora": lora.pk})
    run = Run.objects.get(kind=RunKind.BENCHMARK)
    assert run.lora == lora
    assert run.items.count() == 15 * 4


def test_an_edit_asks_the_editor_again_in_the_persons_words(page: Client, subject: Subject) -> None:
    item = make_item(subject, 60)
    answer = page.post(reverse("edit_item", args=[item.pk]), {"instruction": "Open the mouth."})
    run = Run.objects.get(kind=RunKind.EDIT)
    assert answer.url == reverse("review_batch", args=["juno", item.batch_id])
    assert run.batch == item.batch
    assert {i.request["instruction"] for i in run.items.all()} == {"Open the mouth."}


def test_an_edit_without_words_is_refused(page: Client, subject: Subject) -> None:
    item = make_item(subject, 60)
    answer = page.post(reverse("edit_item", args=[item.pk]), {"instruction": "  "})
    assert answer.status_code == 422


def test_an_outsider_cannot_edit(page: Client, subject: Subject, charlie: User) -> None:
    item = make_item(subject, 60)
    page.force_login(charlie)
    order = {"instruction": "Open the mouth."}
    assert page.post(reverse("edit_item", args=[item.pk]), order).status_code == 404


def test_a_refused_training_keeps_the_chosen_snapshot(page: Client, subject: Subject) -> None:
    older = make_lora(subject).snapshot
    make_item(subject, 50, verdict="accepted")
    freeze_character(subject, by=None)
    order = {"phase": "head", "snapshot": older.pk, "steps": 1}
    answer = page.post(reverse("train", args=["juno"]), order)
    assert answer.status_code == 422
    assert f'<option value="{older.pk}" selected>' in answer.content.decode()


def test_a_refused_plan_keeps_the_chosen_version(page: Client, subject: Subject) -> None:
    chosen = make_lora(subject, 1)
    make_lora(subject, 2, standing=Standing.CURRENT)
    plan = {"shots": CELLS, "per_shot": 99, "lora": chosen.pk}
    words = page.post(reverse("generate", args=["juno"]), plan).content.decode()
    assert f'<option value="{chosen.pk}" selected>' in words
    assert words.count(" selected>") == 1


def test_a_plan_proposes_the_version_in_use(page: Client, subject: Subject) -> None:
    used = make_lora(subject, 1, standing=Standing.CURRENT)
    make_lora(subject, 2)
    words = page.get(reverse("generate", args=["juno"])).content.decode()
    assert f'<option value="{used.pk}" selected>' in words


def test_a_control_and_a_snapshot_at_once_are_refused_with_a_sentence(
    page: Client, subject: Subject
) -> None:
    snapshot = make_lora(subject).snapshot
    order = {"phase": "head", "snapshot": snapshot.pk, "control": "on"}
    answer = page.post(reverse("train", args=["juno"]), order)
    assert answer.status_code == 422
    assert "A control learns from the photos alone" in answer.content.decode()
    assert not Run.objects.active().exists()
