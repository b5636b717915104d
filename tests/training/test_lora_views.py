from __future__ import annotations

import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curation.models import Subject
from tests.training.cast import make_base
from tests.training.pages import make_column, make_lora
from training.models import Family, LoraVersion, Phase, Standing


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def test_the_card_sets_versions_side_by_side_under_the_same_seeds(
    page: Client, subject: Subject
) -> None:
    lora = make_lora(subject)
    make_column(subject, lora, right=True)
    make_column(subject, None, right=False)
    card = page.get(reverse("card", args=["juno"])).context
    assert [column["title"] for column in card["columns"]] == ["base", "char_lora_v1"]
    assert [column["success"].mean for column in card["columns"]] == [0.0, 1.0]
    seeds = [[cell.seed for cell in cells] for cells in card["rows"][0]["cells"]]
    assert seeds == [[0, 1], [0, 1]]
    assert card["verdict"]["headline"] == "char_lora_v1 is better than base"


def test_a_card_without_columns_teaches_what_it_is(page: Client) -> None:
    words = page.get(reverse("card", args=["juno"])).content.decode()
    assert "No card yet" in words
    assert "Measure the base" in words


def test_the_card_offers_to_measure_what_has_no_column(page: Client, subject: Subject) -> None:
    make_column(subject, None, right=False)
    make_lora(subject)
    assert "Measure char_lora_v1" in page.get(reverse("card", args=["juno"])).content.decode()


def test_the_card_says_what_nobody_has_measured(page: Client, subject: Subject) -> None:
    make_column(subject, make_lora(subject), right=True)
    assert "Not measured yet" in page.get(reverse("card", args=["juno"])).content.decode()


def test_promoting_a_version_retires_the_one_it_replaces(page: Client, subject: Subject) -> None:
    first, second = make_lora(subject, 1), make_lora(subject, 2)
    for lora in (first, second):
        page.post(reverse("promote", args=[lora.pk]), {"reason": "The eye says so."})
    standings = dict(LoraVersion.objects.values_list("number", "standing"))
    assert standings == {1: Standing.RETIRED, 2: Standing.CURRENT}


def test_promoting_retires_a_version_of_another_base_too(page: Client, subject: Subject) -> None:
    first, second = make_lora(subject, 1), make_lora(subject, 2)
    first.promote()
    second.base = make_base(Family.FLUX, "another-flux", preferred=False)
    second.save()
    page.post(reverse("promote", args=[second.pk]), {"reason": "The eye says so."})
    standings = dict(LoraVersion.objects.values_list("number", "standing"))
    assert standings == {1: Standing.RETIRED, 2: Standing.CURRENT}


def test_the_other_phases_version_stays_in_use(page: Client, subject: Subject) -> None:
    head, body = make_lora(subject, 1), make_lora(subject, 2)
    LoraVersion.objects.filter(pk=body.pk).update(phase=Phase.BODY)
    for lora in (head, body):
        page.post(reverse("promote", args=[lora.pk]), {"reason": "The eye says so."})
    assert set(LoraVersion.objects.values_list("standing", flat=True)) == {Standing.CURRENT}


def test_a_control_is_never_promoted(page: Client, subject: Subject) -> None:
    control = make_lora(subject, 0, standing=Standing.CONTROL)
    assert page.post(reverse("promote", args=[control.pk])).status_code == 404
    assert LoraVersion.objects.get().standing == Standing.CONTROL


def test_a_version_says_everything_it_was_made_from(page: Client, subject: Subject) -> None:
    lora = make_lora(subject)
    words = page.get(reverse("lora_detail", args=[lora.pk])).content.decode()
    assert lora.sha256 in words
    assert str(lora.snapshot) in words
    assert "1.50 times" in words


@pytest.mark.parametrize("name", ["lora_detail", "promote", "retire_lora"])
def test_an_outsider_finds_no_version(
    page: Client, subject: Subject, charlie: User, name: str
) -> None:
    lora = make_lora(subject)
    page.force_login(charlie)
    send = page.get if name == "lora_detail" else page.post
    assert send(reverse(name, args=[lora.pk])).status_code == 404


def test_only_staff_download_the_file(page: Client, subject: Subject, alice: User) -> None:
    lora = make_lora(subject)
    path = live.RUNS / lora.file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    url = reverse("lora_file", args=[lora.pk])
    assert page.get(url).status_code == 403
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert b"".join(page.get(url).streaming_content) == b"weights"


def test_a_card_of_many_versions_asks_as_many_questions_as_one_of_few(
    page: Client, subject: Subject
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page.get(reverse("card", args=["juno"]))
        return len(asked)

    make_column(subject, make_lora(subject, 1), right=True)
    few = queries()
    for number in (2, 3):
        make_column(subject, make_lora(subject, number), right=True)
    assert queries() == few


def test_the_card_says_how_many_pictures_each_version_learned_from(
    page: Client, subject: Subject
) -> None:
    make_column(subject, make_lora(subject), right=True)
    make_column(subject, None, right=False)
    columns = page.get(reverse("card", args=["juno"])).context["columns"]
    assert [column["subtitle"] for column in columns] == ["no LoRA", "6 images"]
