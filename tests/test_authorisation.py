"""Every address for everybody: nobody, an outsider, a member of the subject and the operator."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from curation.freezing import freeze_character
from curation.models import Origin, Snapshot, Subject
from tests.curation.cast import make_image, make_item, make_photos
from tests.training.cast import make_base, make_run
from training.models import LoraVersion, Phase, RunKind

LOGIN, IN, GONE, FORBIDDEN = "login", "in", "not found", "forbidden"

PUBLIC: dict[str, str] = {}
EVERYBODY = {"nobody": LOGIN, "outsider": IN, "member": IN, "operator": IN}
MEMBERS = EVERYBODY | {"outsider": GONE}
OPERATORS = EVERYBODY | {"outsider": FORBIDDEN, "member": FORBIDDEN}


@dataclass(frozen=True)
class World:
    """One row of each kind that an address may name, all of one subject or of the editor."""

    slug: str
    photo: int
    sha256: str
    trashed: int
    batch: int
    item: int
    snapshot: int
    run: int
    editor_run: int
    lora: int
    editor_lora: int
    base: int


@pytest.fixture
def world(subject: Subject) -> World:
    photos = make_photos(subject)
    item = make_item(subject)
    base = make_base()
    snapshot = freeze_character(subject, by=None)
    lessons = Snapshot.objects.create(purpose="editor", sha256="e" * 64)
    run = make_run(subject, RunKind.TRAIN, snapshot=snapshot)
    editor_run = make_run(None, RunKind.TRAIN, snapshot=lessons)
    facts = {"phase": Phase.HEAD, "sha256": "0" * 64, "base": base, "recipe": {}, "number": 1}
    facts |= {"effect": 1.0, "file": "lora.safetensors"}
    lora = LoraVersion.objects.create(subject=subject, snapshot=snapshot, run=run, **facts)
    facts |= {"phase": Phase.EDITOR}
    editor_lora = LoraVersion.objects.create(snapshot=lessons, run=editor_run, **facts)
    return World(
        slug=subject.slug,
        photo=photos[0].pk,
        sha256=photos[0].sha256,
        trashed=make_image(subject, 77, origin=Origin.PHOTO).pk,
        batch=item.batch_id,
        item=item.pk,
        snapshot=snapshot.pk,
        run=run.pk,
        editor_run=editor_run.pk,
        lora=lora.pk,
        editor_lora=editor_lora.pk,
        base=base.pk,
    )


Arguments = Callable[[World], list[Any]]
Address = tuple[str, str, dict[str, str], Arguments]


def _of_subject(*names: str) -> list[Address]:
    return [(name, "get", MEMBERS, lambda w: [w.slug]) for name in names]


ADDRESSES: list[Address] = [
    ("login", "get", PUBLIC, lambda w: []),
    ("health", "get", PUBLIC, lambda w: []),
    ("login_link", "get", PUBLIC, lambda w: ["spent"]),
    ("logout", "post", PUBLIC, lambda w: []),
    ("home", "get", EVERYBODY, lambda w: []),
    ("new_subject", "get", EVERYBODY, lambda w: []),
    ("all_runs", "get", EVERYBODY, lambda w: []),
    ("editor", "get", EVERYBODY, lambda w: []),
    ("setup", "get", EVERYBODY, lambda w: []),
    ("setup", "post", OPERATORS, lambda w: []),
    ("prefer_base", "post", OPERATORS, lambda w: [w.base]),
    ("train_editor", "post", OPERATORS, lambda w: []),
    ("benchmark_editor", "post", OPERATORS, lambda w: []),
    ("bind_key", "post", EVERYBODY, lambda w: []),
    ("judge_blind", "post", EVERYBODY, lambda w: []),
    *_of_subject("wheel", "photos", "trash", "datasets", "review", "batches", "enrich"),
    *_of_subject("generate", "train", "card", "runs"),
    ("benchmark", "post", MEMBERS, lambda w: [w.slug]),
    ("measure", "post", MEMBERS, lambda w: [w.slug]),
    ("freeze", "post", MEMBERS, lambda w: [w.slug]),
    ("upload_photos", "post", MEMBERS, lambda w: [w.slug]),
    ("export_lessons", "get", MEMBERS, lambda w: [w.slug]),
    ("dataset", "get", MEMBERS, lambda w: [w.slug, "photo"]),
    ("image_detail", "get", MEMBERS, lambda w: [w.slug, w.photo]),
    ("hold_out", "post", MEMBERS, lambda w: [w.slug, w.photo]),
    ("trash_image", "post", MEMBERS, lambda w: [w.slug, w.photo]),
    ("restore_image", "post", MEMBERS, lambda w: [w.slug, w.trashed]),
    ("snapshot_detail", "get", MEMBERS, lambda w: [w.slug, w.snapshot]),
    ("review_batch", "get", MEMBERS, lambda w: [w.slug, w.batch]),
    ("numbers", "get", MEMBERS, lambda w: [w.slug, w.batch]),
    ("claim", "post", MEMBERS, lambda w: [w.batch]),
    ("keep", "post", MEMBERS, lambda w: [w.batch]),
    ("undo", "post", MEMBERS, lambda w: [w.batch]),
    ("look", "get", MEMBERS, lambda w: [w.item]),
    ("decide", "post", MEMBERS, lambda w: [w.item]),
    ("correct", "post", MEMBERS, lambda w: [w.item]),
    ("retouch", "post", MEMBERS, lambda w: [w.item]),
    ("edit_item", "post", MEMBERS, lambda w: [w.item]),
    ("run_detail", "get", MEMBERS, lambda w: [w.run]),
    ("run_progress", "get", MEMBERS, lambda w: [w.run]),
    ("run_loss", "get", MEMBERS, lambda w: [w.run]),
    ("cancel_run", "post", MEMBERS, lambda w: [w.run]),
    ("resume_run", "post", MEMBERS, lambda w: [w.run]),
    ("cancel_run", "post", OPERATORS, lambda w: [w.editor_run]),
    ("resume_run", "post", OPERATORS, lambda w: [w.editor_run]),
    ("lora_detail", "get", MEMBERS, lambda w: [w.lora]),
    ("promote", "post", MEMBERS, lambda w: [w.lora]),
    ("retire_lora", "post", MEMBERS, lambda w: [w.lora]),
    ("promote", "post", OPERATORS, lambda w: [w.editor_lora]),
    ("retire_lora", "post", OPERATORS, lambda w: [w.editor_lora]),
    # Nobody's file lies there, so those who may ask for it find nothing either.
    ("media", "get", {"nobody": LOGIN, "outsider": GONE}, lambda w: [w.sha256, 256]),
    ("run_sample", "get", {"nobody": LOGIN, "outsider": GONE}, lambda w: [w.run, "1.webp"]),
    ("lora_file", "get", {"nobody": LOGIN, "member": FORBIDDEN}, lambda w: [w.lora]),
    ("doll_zip", "get", {"nobody": LOGIN}, lambda w: ["milo"]),
    # A closed tab is past hearing an answer: outsiders hold nothing that could be released.
    ("release", "post", EVERYBODY, lambda w: [w.batch]),
]


def outcome(answer: Any) -> str:
    if answer.status_code == 302 and answer.url.startswith("/login/"):
        return LOGIN
    return {403: FORBIDDEN, 404: GONE}.get(answer.status_code, IN)


@pytest.mark.parametrize("role", ["nobody", "outsider", "member", "operator"])
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda a: f"{a[1]} {a[0]}")
def test_everybody_is_let_in_where_they_belong_and_nowhere_else(
    address: Address, role: str, world: World, client: Client, alice: User, charlie: User
) -> None:
    name, method, expected, arguments = address
    who = {"outsider": charlie, "member": alice}
    who["operator"] = User.objects.create_user("operator", is_staff=True)
    if role in who:
        client.force_login(who[role])
    data = {"lease": str(uuid.UUID(int=1))} if method == "post" else {}
    answer = getattr(client, method)(reverse(name, args=arguments(world)), data)
    if expected is not PUBLIC:
        assert answer.status_code < 500
    if role in expected:
        assert outcome(answer) == expected[role]


def test_no_address_is_missing_from_the_table() -> None:
    def names(patterns: list[URLPattern | URLResolver]) -> set[str]:
        found: set[str] = set()
        for one in patterns:
            if isinstance(one, URLResolver):
                found |= names(one.url_patterns) if one.namespace != "admin" else set()
            else:
                found.add(str(one.name))
        return found

    assert names(get_resolver().url_patterns) == {name for name, *_ in ADDRESSES}
