from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from curation.models import Role, Subject
from tests.curation.cast import make_item, make_photos


@pytest.fixture
def home(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def test_a_stranger_is_asked_to_log_in(client: Client, db: None) -> None:
    assert client.get("/").url.startswith(reverse("login"))


def test_home_shows_only_the_subjects_one_is_a_member_of(
    client: Client, charlie: User, subject: Subject
) -> None:
    client.force_login(charlie)
    page = client.get("/").content.decode()
    assert "Juno" not in page
    assert "send you an invitation" in page


def test_home_counts_photos_and_what_waits(home: Client, subject: Subject) -> None:
    make_photos(subject, 7)
    make_item(subject)
    page = home.get("/").content.decode()
    assert "7 photos" in page
    assert "1 waiting for review" in page


def test_home_costs_the_same_for_many_subjects(
    home: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        other = Subject.objects.create(
            name=f"No {number}", slug=f"no-{number}", instance_token=f"ohwx_{number}"
        )
        other.members.add(alice, through_defaults={"role": Role.CURATOR})
        make_photos(other, 2)
    with django_assert_max_num_queries(5):
        home.get("/")


def test_a_new_subject_belongs_to_its_maker_and_leads_to_its_photos(
    home: Client, alice: User
) -> None:
    answer = home.post(
        reverse("new_subject"),
        {
            "name": "Ada Lovelace",
            "class_noun": "woman",
            "instance_token": "ohwx_ada",
        },
    )
    ada = Subject.objects.get(slug="ada-lovelace")
    assert answer.url == reverse("photos", args=[ada.slug])
    assert list(ada.members.all()) == [alice]


def test_two_subjects_of_one_name_get_two_addresses(home: Client) -> None:
    facts = {"name": "Juno", "class_noun": "person"}
    home.post(reverse("new_subject"), facts | {"instance_token": "ohwx_other"})
    assert Subject.objects.filter(slug="juno-2").exists()


def test_a_token_that_is_no_token_is_refused_with_a_sentence(home: Client) -> None:
    facts = {"name": "Ada", "class_noun": "person"}
    answer = home.post(reverse("new_subject"), facts | {"instance_token": "Ada!"})
    assert answer.status_code == 422
    assert "3-32 small letters" in answer.content.decode()


def test_a_name_is_shown_as_text_and_never_as_markup(home: Client, subject: Subject) -> None:
    subject.name = "<script>alert(1)</script>"
    subject.save()
    page = home.get(reverse("photos", args=["juno"])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_subject_without_a_token_gets_one_of_its_name(home: Client) -> None:
    home.post(reverse("new_subject"), {"name": "Ada Lovelace", "class_noun": "woman"})
    assert Subject.objects.get(slug="ada-lovelace").instance_token == "ohwx_adalovelace"


def test_a_token_already_taken_is_refused_before_the_database_does(home: Client) -> None:
    facts = {"name": "Ada", "class_noun": "woman", "instance_token": "ohwx_juno"}
    answer = home.post(reverse("new_subject"), facts)
    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()


def test_a_second_subject_of_a_name_gets_a_token_of_its_own(home: Client) -> None:
    for _ in range(2):
        home.post(reverse("new_subject"), {"name": "Juno", "class_noun": "woman"})
    tokens = list(Subject.objects.order_by("pk").values_list("instance_token", flat=True))
    assert tokens == ["ohwx_juno", "ohwx_juno2", "ohwx_juno3"]


def test_what_one_may_not_see_is_answered_in_plain_words(
    client: Client, charlie: User, subject: Subject
) -> None:
    client.force_login(charlie)
    answer = client.get(reverse("photos", args=["juno"]))
    assert answer.status_code == 404
    assert "not a member of" in answer.content.decode()
