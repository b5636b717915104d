"""A subject goes into one file and comes back, to the last bit; what is no backup does not."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import (
    Batch,
    Calibration,
    CaptionChange,
    CaptionEdit,
    Correction,
    Decision,
    Image,
    Invitation,
    Membership,
    Origin,
    ReviewItem,
    Snapshot,
    Subject,
)
from curation.outlet import zipped
from tests.curation.cast import keep_made, make_measurement
from tests.training.cast import make_base
from tests.training.pages import make_finished_run
from tests.training.shared_world import drawn, make_shared_world
from training.backups.reach import STAYS, beside, foreign_keys, paths, rows_of, tables
from training.backups.restoring import restore
from training.backups.unpacking import CannotRestore
from training.backups.writing import CannotBackUp, backup
from training.models import BaseModel, CardLink, Family, LoraVersion, Phase, Run, RunItem, RunKind

INSTALLATIONS_OWN = {"training.basemodel", "curation.reviewer"}


@pytest.fixture
def juno(subject: Subject, alice: User) -> Subject:
    """With a row of every kind, some of them naming rows of the installation."""
    make_shared_world(subject)
    _reviewed(subject, alice)
    return subject


def _reviewed(subject: Subject, alice: User) -> None:
    editor = _editor_version(alice)
    photo = Image.objects.photos()[0]
    CaptionChange.objects.create(edit=CaptionEdit.objects.get(), image=photo, before="a", after="b")
    batch = Batch.objects.create(subject=subject, title="Edits")
    run = make_finished_run(
        subject, RunKind.ENRICH, lora=editor, batch=batch, recipe={"avoided": [photo.pk]}
    )
    made = [
        keep_made(subject, drawn(n), origin=Origin.ENRICHED, shot=None, depth=1, provenance={},
                  parents=[photo])
        for n in (200, 201)
    ]  # fmt: skip
    items = [ReviewItem.objects.create(batch=batch, image=image, source=photo) for image in made]
    request = {"instruction": "Smile.", "answer_to": items[0].pk}
    RunItem.objects.create(run=run, ordinal=0, request=request, source=photo, image=made[1])
    lesson = Correction.objects.create(
        subject=subject, source=photo, instruction="Smile.", target=made[1], rejected=made[0],
        author=alice, mask=b"\x89PNG\x00\xff",
    )  # fmt: skip
    lesson.candidates.set(made)
    no = Decision.objects.create(
        item=items[0], author=alice, choice="reject", reasons=["face"], correction=lesson
    )
    Decision.objects.create(item=items[0], author=alice, choice="undo", undoes=no)
    make_measurement(photo, embedding=b"\x00\x3c" * 4, yaw=-1 / 3)
    Calibration.objects.create(
        subject=subject, number=1, origin=Origin.PHOTO, backend="b", backend_sha256="1" * 64,
        references_sha256="2" * 64, strangers_sha256="3" * 64, alpha=0.05, target=0.9, ceiling=0.8,
        lines={"front": {"accept": 0.1 + 0.2}}, scores={"photos": [0.1, 0.2]}, num_photos=6,
        num_strangers=9, expected_error=0.05, error_low=0.0, error_high=0.2,
    )  # fmt: skip


def _editor_version(alice: User) -> LoraVersion:
    """Learned from lessons of others, which are nobody's business here."""
    base = make_base(Family.QWEN_EDIT, "qwen-edit")
    snapshot = Snapshot.objects.create(purpose="editor", sha256="e" * 64, created_by=alice)
    run = make_finished_run(None, RunKind.TRAIN, snapshot=snapshot, requested_by=alice)
    Run.objects.filter(pk=run.pk).update(base=base)
    file = Path(settings.RUNS, str(run.pk), "lora.safetensors")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"editor")
    file.with_name("child.log").write_text("others' business")
    return LoraVersion.objects.create(
        base=base, phase=Phase.EDITOR, number=1, run=run, snapshot=snapshot, recipe={},
        file=f"{run.pk}/lora.safetensors", sha256="c" * 64, effect=1.0,
    )  # fmt: skip


def rows_told(subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Every column of every row; whoever did something by name."""
    told = {table._meta.label: _by_name(rows_of(subject, table)) for table in paths()}
    for table, keys in beside(subject).items():
        rows = table._base_manager.filter(pk__in=keys).order_by("pk")
        people = rows.values("username", "first_name") if table is User else []
        told[f"beside {table._meta.label}"] = list(people) or _by_name(rows)
    return told


def _by_name(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    names = dict(User.objects.values_list("pk", "username"))
    people = [key.attname for key in foreign_keys(rows.model) if key.related_model is User]
    return [
        row | {column: names.get(row[column], "") for column in people} for row in rows.values()
    ]


def files_told() -> dict[str, str]:
    return {
        path.relative_to(settings.VAR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for root in (settings.MEDIA_ROOT, settings.RUNS)
        for path in Path(root).rglob("*")
        if path.is_file()
    }


def archived(subject: Subject) -> io.BytesIO:
    return io.BytesIO(b"".join(zipped(backup(subject))))


def empty_the_installation(*, users: bool = True) -> None:
    """As if it had been set up anew: no row, no file, keys from 1 on."""
    quote = connection.ops.quote_name
    whole = [*tables(), *STAYS, *([User] if users else [])]
    with connection.cursor() as cursor, connection.constraint_checks_disabled():
        for table in reversed(whole):
            cursor.execute(f"DELETE FROM {quote(table._meta.db_table)}")  # noqa: S608
    for folder in (settings.MEDIA_ROOT, settings.RUNS):
        shutil.rmtree(folder)


def changed(
    backed_up: io.BytesIO, change: Callable[[str, bytes], tuple[str, bytes] | None]
) -> io.BytesIO:
    """The archive with its files changed, and its list of files made to agree."""
    files, listed = {}, []
    with zipfile.ZipFile(backed_up) as old:
        for name in old.namelist():
            if (new := change(name, old.read(name))) is not None:
                files[new[0]] = new[1]
    for name, data in files.items():
        if name not in ("files.jsonl", "manifest.json"):
            facts = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            listed.append(json.dumps(facts))
    files["files.jsonl"] = "\n".join(listed).encode()
    return io.BytesIO(b"".join(zipped(files.items())))


def count_everything() -> dict[str, int]:
    whole = [*tables(), *STAYS, User]
    return {table._meta.label: table._base_manager.count() for table in whole}


def test_every_model_is_the_subjects_or_the_installations_or_stays() -> None:
    everything = {
        model._meta.label_lower
        for app in ("curation", "training")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }
    owned = {table._meta.label_lower for table in paths()}
    stays = {table._meta.label_lower for table in STAYS}
    assert everything == owned | stays | INSTALLATIONS_OWN


def test_a_subject_comes_back_into_an_empty_installation_to_the_last_bit(juno: Subject) -> None:
    rows, files, file = rows_told(juno), files_told(), archived(juno)
    assert not [table for table in paths() if not rows[table._meta.label]], "not in this world"
    empty_the_installation()
    restored = restore(file)
    connection.check_constraints()
    assert rows_told(restored) == rows
    others = {name for name in files if name.endswith("child.log")}
    assert files_told() == {name: files[name] for name in files.keys() - others}


def test_it_comes_back_beside_others_under_keys_of_its_own(juno: Subject, bob: User) -> None:
    file, pictures = archived(juno), sorted(Image.objects.values_list("sha256", flat=True))
    empty_the_installation(users=False)
    milo = Subject.objects.create(pk=40, name="Milo", slug="milo", instance_token="ohwx_milo")
    make_shared_world(milo)
    Subject.objects.filter(pk=milo.pk).update(slug="milo")
    Snapshot.objects.update(sha256="d" * 64)
    before = rows_told(milo)
    restored = restore(file)
    connection.check_constraints()
    assert sorted(restored.images.values_list("sha256", flat=True)) == pictures
    assert {name: rows for name, rows in rows_told(milo).items() if "beside" not in name} == {
        name: rows for name, rows in before.items() if "beside" not in name
    }


def test_what_is_named_in_words_is_named_under_its_new_key(juno: Subject) -> None:
    file = archived(juno)
    empty_the_installation()
    other = Subject.objects.create(pk=40, name="Milo", slug="milo", instance_token="ohwx_milo")
    keep_made(other, drawn(99), origin=Origin.PHOTO, shot=None, depth=0, provenance={})
    make_finished_run(other, RunKind.TRAIN)
    restored = restore(file)
    asked = RunItem.objects.get(run__subject=restored)
    answered = ReviewItem.objects.get(pk=asked.request["answer_to"])
    assert answered.batch.subject == restored
    assert Image.objects.get(pk=asked.run.recipe["avoided"][0]).subject == restored
    lora = LoraVersion.objects.get(subject=restored)
    assert lora.file == f"{lora.run_id}/lora.safetensors"
    assert Path(settings.RUNS, lora.file).is_file()


def test_people_come_back_as_names_who_cannot_log_in(juno: Subject, alice: User) -> None:
    file = archived(juno)
    empty_the_installation()
    restored = restore(file)
    author = Decision.objects.filter(item__image__subject=restored).first().author
    assert (author.first_name, author.has_usable_password()) == ("pRiVaTe first", False)
    assert not User.objects.filter(is_staff=True).exists()


def test_who_may_come_in_stays_behind(juno: Subject) -> None:
    CardLink.with_token(timezone.timedelta(days=1), subject=juno)
    file = archived(juno)
    empty_the_installation()
    restore(file)
    assert [table.objects.count() for table in (Membership, Invitation, CardLink)] == [0, 0, 0]


def test_a_person_and_a_base_that_are_here_are_not_made_twice(juno: Subject) -> None:
    file, users, bases = archived(juno), User.objects.count(), BaseModel.objects.count()
    Subject.objects.filter(pk=juno.pk).update(slug="other", instance_token="ohwx_other")
    Snapshot.objects.filter(subject=juno).update(sha256="d" * 64)
    _rename_keys(juno)
    restore(file)
    assert (User.objects.count(), BaseModel.objects.count()) == (users, bases)
    assert LoraVersion.objects.filter(phase=Phase.EDITOR).count() == 1


def _rename_keys(subject: Subject) -> None:
    """As if these rows were others'."""
    for table in (Run, Decision):
        for row in rows_of(subject, table):
            table.objects.filter(pk=row.pk).update(key=uuid.uuid4())


def test_where_the_subject_is_already_nothing_comes_in(juno: Subject) -> None:
    file, before = archived(juno), count_everything()
    with pytest.raises(CannotRestore, match="is here already"):
        restore(file)
    assert count_everything() == before


def test_nothing_is_backed_up_while_machines_work_on_it(juno: Subject) -> None:
    Run.objects.create(kind=RunKind.MEASURE, subject=juno, base=BaseModel.objects.all()[0])
    with pytest.raises(CannotBackUp, match="is under way"):
        archived(juno)


def test_erased_pictures_come_back_as_tombstones(juno: Subject) -> None:
    now = timezone.now()
    photo = Image.objects.photos().first()
    Image.objects.filter(pk=photo.pk).update(erased_at=now, trashed_at=now)
    file = archived(juno)
    assert photo.sha256 not in "".join(zipfile.ZipFile(file).namelist())
    empty_the_installation()
    assert restore(file).images.get(sha256=photo.sha256).erased_at == now


NAMED_BADLY = ["../up.txt", "/etc/passwd", "runs/1/../../up", "runs/1/.hidden", "media/x/original"]


@pytest.mark.parametrize("name", NAMED_BADLY)
def test_a_name_that_leads_elsewhere_is_refused(juno: Subject, name: str) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        return (name, data) if old.endswith("lora.safetensors") else (old, data)

    assert_refused(changed(archived(juno), change), "changed after it was made")


def test_a_file_that_is_not_as_listed_is_refused(juno: Subject) -> None:
    file = bytearray(archived(juno).getvalue())
    place = file.index(b'"instance_token"')
    file[place + 20] ^= 1
    assert_refused(io.BytesIO(bytes(file)), "damaged")


def test_a_picture_under_anothers_hash_is_refused(juno: Subject) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        return (old, b"other") if old.endswith("/original") else (old, data)

    assert_refused(changed(archived(juno), change), "damaged")


def test_a_row_that_names_a_row_of_this_installation_is_refused(juno: Subject) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        if old != "rows/curation.tag.jsonl":
            return old, data
        row = json.loads(data)
        return old, json.dumps(row | {"subject_id": row["subject_id"] - 7}).encode() + b"\n"

    assert_refused(changed(archived(juno), change), "changed after it was made")


@pytest.mark.parametrize("told", [b"[]", b"{}", b"not JSON", b"[" * 100_000, b'{"id": "x"}'])
def test_a_line_that_is_no_row_is_refused(juno: Subject, told: bytes) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        return (old, told + b"\n") if old == "rows/curation.tag.jsonl" else (old, data)

    assert_refused(changed(archived(juno), change), "Use another copy")


def test_a_table_that_no_subject_has_is_refused(juno: Subject) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        name = old.replace("rows/curation.tag.", "rows/auth.permission.")
        return name, data

    assert_refused(changed(archived(juno), change), "changed after it was made")


def test_a_run_that_would_start_at_once_is_refused(juno: Subject) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        return old, data.replace(b'"succeeded"', b'"queued"') if "training.run." in old else data

    assert_refused(changed(archived(juno), change), "changed after it was made")


def test_a_backup_of_another_schema_is_refused_with_the_way_to_go(juno: Subject) -> None:
    def change(old: str, data: bytes) -> tuple[str, bytes]:
        return old, data.replace(b"0001_initial", b"0001_other") if "manifest" in old else data

    assert_refused(changed(archived(juno), change), "another version of FLENwheel")


@pytest.mark.parametrize("data", [b"", b"not a ZIP", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_backup_is_refused(juno: Subject, data: bytes) -> None:
    assert_refused(io.BytesIO(data), "Choose one that was made here|damaged ZIP")


def assert_refused(file: io.BytesIO, why: str) -> None:
    """Into an empty installation, where nothing else would stop it; nothing is left of it."""
    empty_the_installation()
    with pytest.raises(CannotRestore, match=why):
        restore(file)
    assert set(count_everything().values()) == {0}
    assert not [name for name in files_told() if not name.startswith("media/")]
    assert not list(Path(settings.RUNS).glob("*"))


def test_the_commands_carry_a_subject_there_and_back(juno: Subject, tmp_path: Path) -> None:
    file = tmp_path / "juno.zip"
    call_command("backup", juno.slug, str(file), verbosity=0)
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", juno.slug, str(file), verbosity=0)
    empty_the_installation()
    call_command("restore", str(file), verbosity=0)
    assert Subject.objects.get().slug == juno.slug
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("restore", str(tmp_path / "none.zip"), verbosity=0)


def test_an_operator_takes_a_subject_out_and_in_by_the_pages(
    juno: Subject, client: Client, tmp_path: Path
) -> None:
    client.force_login(User.objects.create_user("operator", is_staff=True))
    answer = client.get(reverse("backup_zip", args=[juno.slug]))
    file = io.BytesIO(b"".join(answer.streaming_content))
    file.name = "juno.zip"
    empty_the_installation(users=False)
    answer = client.post(reverse("restore_subject"), {"file": file})
    assert answer.url == Subject.objects.get().get_absolute_url()
    refused = client.post(reverse("restore_subject"), {"file": io.BytesIO(b"no ZIP")})
    assert refused.status_code == 422
    assert "damaged ZIP" in refused.content.decode()
    assert "Choose the backup" in client.post(reverse("restore_subject")).content.decode()


def test_a_backup_that_has_to_wait_says_for_what(juno: Subject, client: Client) -> None:
    client.force_login(User.objects.create_user("operator", is_staff=True))
    Run.objects.create(kind=RunKind.MEASURE, subject=juno, base=BaseModel.objects.all()[0])
    answer = client.get(reverse("backup_zip", args=[juno.slug]), follow=True)
    assert "is under way. Wait until it ended" in answer.content.decode()
