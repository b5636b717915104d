"""The vocabulary of rejections, and which edition of it a decision spoke."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Decision, Reason, Subject
from curation.models.decision import REASONS_VERSION
from tests.curation.cast import make_item

EDITIONS = {
    1: "identity face limbs prompt artefacts style background no_effect unsafe",
}
"""Append; never change: decisions of years ago are read by these."""


def test_words_that_change_are_a_new_edition() -> None:
    assert " ".join(Reason.values) == EDITIONS[REASONS_VERSION]
    assert max(EDITIONS) == REASONS_VERSION


def test_what_is_said_at_the_desk_keeps_the_edition_of_its_words(
    client: Client, alice: User, subject: Subject
) -> None:
    client.force_login(alice)
    said = {"choice": "reject", "reasons": ["identity", "unsafe"]}
    client.post(reverse("decide", args=[make_item(subject).pk]), said)
    decision = Decision.objects.get()
    assert decision.reasons == ["identity", "unsafe"]
    assert decision.reasons_version == max(EDITIONS)
