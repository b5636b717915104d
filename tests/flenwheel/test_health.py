from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def broker_folders() -> None:
    (settings.BROKER / "messages").mkdir(parents=True, exist_ok=True)


@pytest.mark.usefixtures("broker_folders", "db")
def test_anyone_may_ask_whether_it_is_well(client: Client) -> None:
    answer = client.get("/health/")
    assert answer.json() == {"status": "ok"}


@pytest.mark.usefixtures("broker_folders")
def test_a_reviewer_learns_no_more_than_that(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/health/").json() == {"status": "ok"}


@pytest.mark.usefixtures("broker_folders")
def test_staff_see_what_waits_and_runs(admin_client: Client) -> None:
    answer = admin_client.get("/health/").json()
    assert answer["waiting"] == {"cpu": 0, "gpu": 0}
    assert answer["database"] is answer["broker"] is True


def test_it_is_unwell_without_its_broker(admin_client: Client, settings, tmp_path) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "gone")}
    answer = admin_client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["broker"] is False
