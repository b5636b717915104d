from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from curation.corrections.masks import as_text
from curation.datasets.freezing import freeze_character
from curation.files.ingest import ingest_upload
from curation.files.storage import GRACE, folder_of, sweep_files
from curation.models import (
    CaptionChange,
    CaptionEdit,
    CaptionProposal,
    Correction,
    Image,
    Measurement,
    Origin,
    Role,
    Snapshot,
    Subject,
    Verdict,
)
from curation.removal.erasing import withdraw
from curation.removal.trashing import take_all_from_trash, take_from_trash
from curation.signals import consent_withdrawn
from curation.words.captioning import Rewriting, apply
from tests.curation.cast import make_image, make_item, make_measurement, make_photos
from tests.curation.test_photo_views import jpeg
from tests.training.cast import make_base, make_run
from training.models import LoraVersion, Phase, Run, RunItem, RunKind, RunStatus, Standing
from training.runs.artifacts import run_folder
from training.runs.beginning import begin
from training.runs.readiness import CannotStart, refuse_withdrawn
from training.runs.withdrawals import sweep_runs


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def taken_in(subject: Subject, file: SimpleUploadedFile, by: User) -> Image:
    return ingest_upload(subject, [file], by=by).images[0]


def grow_old(image: Image) -> None:
    os.utime(folder_of(image.sha256), (0, 0))
    assert folder_of(image.sha256).stat().st_mtime < GRACE


def erase(subject: Subject, by: User, photo: Image | None = None) -> int:
    return withdraw(subject, photo, by)


def test_pixels_faces_and_words_go_and_a_tombstone_stays(subject: Subject, alice: User):
    photo = taken_in(subject, jpeg(), alice)
    Image.objects.filter(pk=photo.pk).update(caption="ohwx_juno at home")
    make_measurement(photo)
    apply(subject, Image.objects.filter(pk=photo.pk), Rewriting("say", put="at sea"), by=alice)
    CaptionProposal.objects.create(image=photo, words="at home")
    assert erase(subject, alice) == 1
    assert not CaptionProposal.objects.exists()
    assert not CaptionChange.objects.exists()
    assert not CaptionEdit.objects.exists()
    photo.refresh_from_db()
    assert (photo.caption, photo.original_name) == ("", "")
    assert photo.erased_at is not None
    assert photo.width > 0
    assert not Measurement.objects.exists()
    grow_old(photo)
    assert sweep_files() == 1
    assert not folder_of(photo.sha256).exists()


def test_masks_go_wherever_they_were_kept(subject: Subject, alice: User):
    (photo,) = make_photos(subject, 1)
    painted = {"prompt": "no scar", "mask": as_text(b"her outline")}
    run = make_run(subject, RunKind.EDIT)
    RunItem.objects.create(run=run, ordinal=0, source=photo, request={"take": 0} | painted)
    answer = make_image(subject, 8, origin=Origin.ENRICHED, provenance=painted)
    answer.parents.add(photo)
    facts = {"subject": subject, "source": photo, "rejected": answer, "author": alice}
    Correction.objects.create(**facts, instruction="no scar", target=answer, mask=b"her outline")
    elsewhere = make_item(subject, 9, provenance=painted)
    erase(subject, alice, photo)
    answer.refresh_from_db()
    assert answer.provenance == {"prompt": "no scar"}
    assert Correction.objects.get().mask is None
    assert RunItem.objects.get().request == {"take": 0, "prompt": "no scar"}
    assert Image.objects.get(review_item=elsewhere).provenance == painted


def test_what_a_run_keeps_while_it_is_being_ended_goes_as_well(subject: Subject, alice: User):
    make_photos(subject, 3)

    def keep_one_more(**_: Any) -> None:
        make_image(subject, 9, origin=Origin.SYNTHETIC)

    consent_withdrawn.connect(keep_one_more)
    try:
        assert erase(subject, alice) == 4
    finally:
        consent_withdrawn.disconnect(keep_one_more)
    assert not Image.objects.filter(erased_at=None).exists()


def test_asked_twice_there_is_nothing_left_to_erase(subject: Subject, alice: User):
    make_photos(subject, 3)
    assert [erase(subject, alice), erase(subject, alice)] == [3, 0]


def test_files_that_another_subject_has_as_well_stay(subject: Subject, alice: User):
    other = Subject.objects.create(name="Vera", slug="vera", instance_token="ohwx_vera")
    photo = taken_in(subject, jpeg(), alice)
    taken_in(other, jpeg(), alice)
    erase(subject, alice)
    grow_old(photo)
    assert sweep_files() == 0
    assert folder_of(photo.sha256).exists()


def test_the_address_of_an_erased_picture_says_that_it_is_gone(
    subject: Subject, page: Client, alice: User
):
    photo = taken_in(subject, jpeg(), alice)
    address = reverse("media", args=[photo.sha256, 256])
    assert page.get(address).status_code == 200
    erase(subject, alice)
    assert page.get(address).status_code == 410
    other = Subject.objects.create(name="Vera", slug="vera", instance_token="ohwx_vera")
    other.members.add(alice, through_defaults={"role": Role.CURATOR})
    taken_in(other, jpeg(), alice)
    assert page.get(address).status_code == 200


def test_nothing_brings_it_back(subject: Subject, alice: User):
    photo = taken_in(subject, jpeg(), alice)
    erase(subject, alice)
    photo.refresh_from_db()
    take_from_trash(photo)
    assert take_all_from_trash(subject, photo.erased_at) == 0
    again = ingest_upload(subject, [jpeg()], by=alice)
    assert "consent for it was withdrawn" in again.refused[0]
    assert not Image.objects.in_use().exists()


def test_with_one_photo_goes_what_was_edited_from_it_and_no_more(subject: Subject, alice: User):
    first, second = make_photos(subject, 2)
    edit = make_image(subject, 8, origin=Origin.ENRICHED)
    edit.parents.add(first)
    deeper = make_image(subject, 9, origin=Origin.RETOUCHED)
    deeper.parents.add(edit)
    of_second = make_image(subject, 10, origin=Origin.ENRICHED)
    of_second.parents.add(second)
    assert erase(subject, alice, first) == 3
    assert set(Image.objects.in_use()) == {second, of_second}


def test_what_waits_for_review_waits_no_more(subject: Subject, alice: User):
    item = make_item(subject)
    erase(subject, alice)
    item.refresh_from_db()
    assert not item.is_waiting


def test_it_is_not_shown_beside_other_pictures_either(subject: Subject, alice: User):
    first, second = make_photos(subject, 2)
    item = make_item(subject)
    item.nearest = [{"sha256": photo.sha256, "shot": ""} for photo in (first, second)]
    item.save()
    erase(subject, alice, first)
    item.refresh_from_db()
    assert [photo["sha256"] for photo in item.nearest] == [second.sha256]
    assert item.is_waiting


def test_an_earlier_order_that_names_it_is_not_given_again(subject: Subject, alice: User):
    photo = make_photos(subject, 1)[0]
    erase(subject, alice)
    order = RunItem(source=photo, request={"take": 0})  # Read before it was erased.
    with pytest.raises(CannotStart, match="1 of the pictures to begin from were erased"):
        begin(RunKind.MEASURE, make_base(), by=alice, items=[order], subject=subject)
    assert not Run.objects.exists()


def trained(subject: Subject, **facts: Any) -> LoraVersion:
    make_photos(subject, 6)
    snapshot = freeze_character(subject, by=None)
    run = make_run(subject, RunKind.TRAIN, snapshot=snapshot)
    facts = {"phase": Phase.HEAD, "number": 1, "recipe": {}, "effect": 1.0, "file": "x"} | facts
    return LoraVersion.objects.create(
        subject=subject, snapshot=snapshot, run=run, base=run.base, sha256="0" * 64, **facts
    )


def test_what_was_trained_on_them_says_so_and_nothing_starts_from_it(
    subject: Subject, page: Client, alice: User
):
    make_base()
    lora = trained(subject, standing=Standing.CURRENT)
    waiting = make_run(subject, lora=lora)
    erase(subject, alice, Image.objects.photos().first())
    lora.refresh_from_db()
    waiting.refresh_from_db()
    assert (lora.standing, waiting.status) == (Standing.RETIRED, RunStatus.CANCELLED)
    with pytest.raises(CannotStart, match="consent was withdrawn"):
        refuse_withdrawn(lora, None)
    page.post(reverse("promote", args=[lora.pk]), {"reason": "It was the best."})
    lora.refresh_from_db()
    assert lora.standing == Standing.RETIRED
    snapshot = reverse("snapshot_detail", args=[subject.slug, lora.snapshot_id])
    for address in (reverse("lora_detail", args=[lora.pk]), snapshot):
        assert "consent was withdrawn since" in page.get(address).content.decode()


def test_what_a_training_kept_of_them_is_swept_and_shown_no_more(
    subject: Subject, page: Client, alice: User
):
    lora = trained(subject)
    folder = run_folder(lora.run)
    for name in ("cache", "samples", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "samples" / "step-100-0.png").write_bytes(b"drawn")
    (folder / "job.json").write_text('{"examples": [{"caption": "ohwx_juno at the sea"}]}')
    (folder / "child.log").write_text("the caption “ohwx_juno at the sea” is long")
    (folder / "data" / "0001.png").write_bytes(b"a photo, laid out for another trainer")
    (folder / "losses.jsonl").write_text('{"step": 1, "loss": 0.5}')
    sample = reverse("run_sample", args=[lora.run_id, "step-100-0.png"])
    assert page.get(sample).status_code == 200
    erase(subject, alice)
    assert page.get(sample).status_code == 404
    assert [sweep_runs(), sweep_runs()] == [1, 0]
    assert [path.name for path in folder.rglob("*")] == ["losses.jsonl"]


def test_a_person_confirms_on_a_page_that_counts_what_goes(subject: Subject, page: Client):
    make_photos(subject, 5)
    make_image(subject, 8, origin=Origin.ENRICHED, verdict=Verdict.ACCEPTED)
    freeze_character(subject, by=None)
    address = reverse("withdraw_subject", args=[subject.slug])
    told = page.get(address).content.decode()
    assert "5 photos and 1 made picture" in told
    assert "1 snapshot" in told
    assert page.post(address).status_code == 422
    assert "Withdraw consent" in page.post(address).content.decode()
    assert Image.objects.in_use().count() == 6
    page.post(address, {"is_sure": "on"})
    assert not Image.objects.in_use().exists()
    assert Snapshot.objects.get().items.exclude(caption="").count() == 0
    assert "Erased" in page.get(reverse("photos", args=[subject.slug])).content.decode()


def test_an_erased_picture_keeps_its_page_but_not_its_facts(
    subject: Subject, page: Client, alice: User
):
    photo = make_photos(subject, 1)[0]
    erase(subject, alice)
    address = reverse("image_detail", args=[subject.slug, photo.pk])
    assert "consent withdrawn" in page.get(address).content.decode()
    assert page.post(address, {"caption": "again"}).status_code == 404


def test_a_crash_before_the_sweep_leaves_files_that_the_next_one_takes(
    subject: Subject, alice: User, tmp_path: Path
):
    photos = [taken_in(subject, jpeg(color), alice) for color in ("red", "blue")]
    erase(subject, alice)
    for photo in photos:
        grow_old(photo)
    assert [sweep_files(), sweep_files()] == [2, 0]
