from __future__ import annotations

from collections import defaultdict

import pytest
from django.contrib.auth.models import User

from curation.deciding import record_correction, undo_last
from curation.freezing import NotEnough, freeze_character, freeze_corrections
from curation.models import Correction, Origin, ReviewItem, Snapshot, Subject, Verdict
from curation.trashing import move_to_trash
from tests.curation.cast import make_image, make_item, make_photos


def test_a_snapshot_holds_photos_and_accepted_images_with_captions(subject: Subject, alice: User):
    make_photos(subject, 5)
    sad = {"view": "left profile", "expression": "sad", "pose": "portrait"}
    make_image(subject, 9, origin=Origin.ENRICHED, verdict=Verdict.ACCEPTED, **sad)
    snapshot = freeze_character(subject, by=alice)
    last = snapshot.items.last()
    assert snapshot.items.count() == 6
    assert last is not None
    assert last.caption.startswith("photo of ohwx_juno person, portrait, left profile view, sad")


def test_what_waits_or_was_rejected_stays_out(subject: Subject, alice: User):
    make_photos(subject, 5)
    make_item(subject, 7)
    make_item(subject, 8, verdict=Verdict.REJECTED)
    assert freeze_character(subject, by=alice).items.count() == 5


def test_held_out_photos_are_never_frozen(subject: Subject, alice: User):
    photos = make_photos(subject, 6)
    photos[0].held_out = True
    photos[0].save()
    assert photos[0].pk not in freeze_character(subject, by=alice).items.values_list(
        "image", flat=True
    )


def made(subject: Subject, origin: Origin, numbers: range, view: str) -> None:
    for number in numbers:
        shot = {"view": view, "expression": "sad", "pose": "portrait"}
        make_image(subject, number, origin=origin, verdict=Verdict.ACCEPTED, **shot)


def test_photos_stay_more_than_half_of_what_is_seen_however_much_is_made(
    subject: Subject, alice: User
):
    make_photos(subject, 5)
    made(subject, Origin.ENRICHED, range(20, 30), "front")
    made(subject, Origin.SYNTHETIC, range(40, 42), "front")
    weights = defaultdict[str, float](float)
    for item in freeze_character(subject, by=alice).items.select_related("image"):
        weights[item.image.origin] += item.weight
    assert weights == pytest.approx({"photo": 5.0, "enriched": 4.0, "synthetic": 0.5})


def test_a_rare_view_is_seen_as_often_as_a_common_one(subject: Subject, alice: User):
    make_photos(subject, 5)
    made(subject, Origin.ENRICHED, range(20, 30), "front")
    made(subject, Origin.ENRICHED, range(30, 34), "left profile")
    weights = defaultdict[str, float](float)
    for item in freeze_character(subject, by=alice).items.exclude(image__origin=Origin.PHOTO):
        weights[item.image.view] += item.weight
    assert weights == pytest.approx({"front": 2.0, "left profile": 2.0})


def test_a_made_picture_never_weighs_more_than_a_photo(subject: Subject, alice: User):
    make_photos(subject, 6)
    make_image(subject, 9, origin=Origin.ENRICHED, verdict=Verdict.ACCEPTED)
    weights = freeze_character(subject, by=alice).items.values_list("weight", flat=True)
    assert set(weights) == {1.0}


def test_the_same_content_is_the_same_snapshot(subject: Subject, alice: User, bob: User):
    make_photos(subject, 5)
    assert freeze_character(subject, by=alice) == freeze_character(subject, by=bob)


def test_another_caption_is_another_snapshot(subject: Subject, alice: User):
    photos = make_photos(subject, 5)
    first = freeze_character(subject, by=alice)
    photos[0].caption = "ohwx_juno person on a boat"
    photos[0].save()
    second = freeze_character(subject, by=alice)
    assert first.sha256 != second.sha256
    assert Snapshot.objects.count() == 2


def test_too_few_photos_are_refused_with_what_to_do(subject: Subject, alice: User):
    make_photos(subject, 4)
    with pytest.raises(NotEnough, match="4 photos to train on; at least 5"):
        freeze_character(subject, by=alice)


def test_too_few_corrections_are_refused_with_what_to_do(alice: User):
    with pytest.raises(NotEnough, match="Press E"):
        freeze_corrections(by=alice)


def test_a_held_out_subject_is_never_frozen(subject: Subject, alice: User):
    make_photos(subject)
    subject.held_out = True
    subject.save()
    with pytest.raises(NotEnough, match="Juno is held out"):
        freeze_character(subject, by=alice)


def correct(subject: Subject, by: User, count: int = 5) -> list[ReviewItem]:
    items = []
    for number in range(count):
        item = make_item(subject, 200 + number, provenance={"prompt": f"order {number}"})
        item.image.parents.add(make_image(subject, 100 + number))
        record_correction(item, make_image(subject, 300 + number, origin=Origin.RETOUCHED), by=by)
        items.append(item)
    return items


def test_a_correction_that_was_undone_does_not_teach(subject: Subject, alice: User):
    last = correct(subject, alice)[-1]
    undo_last(last.batch, by=alice)
    taught = freeze_corrections(by=alice).items.values_list("correction__rejected", flat=True)
    assert len(taught) == 4
    assert last.image_id not in taught


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_correction_with_a_picture_in_the_trash_does_not_teach(
    subject: Subject, alice: User, end: str
):
    correct(subject, alice)
    move_to_trash(getattr(Correction.objects.get(instruction="order 0"), end))
    assert freeze_corrections(by=alice).items.count() == 4


def test_a_correction_of_a_held_out_photo_does_not_teach(subject: Subject, alice: User):
    correct(subject, alice)
    photo = Correction.objects.get(instruction="order 0").source
    photo.held_out = True
    photo.save()
    assert freeze_corrections(by=alice).items.count() == 4


def test_corrections_of_a_held_out_subject_do_not_teach(subject: Subject, alice: User):
    correct(subject, alice)
    subject.held_out = True
    subject.save()
    with pytest.raises(NotEnough, match="There are 0 corrections"):
        freeze_corrections(by=alice)


def test_a_snapshot_counts_what_may_no_longer_train(subject: Subject, alice: User):
    photos = make_photos(subject)
    snapshot = freeze_character(subject, by=alice)
    assert snapshot.num_held_back() == 0
    photos[0].held_out = True
    photos[0].save()
    move_to_trash(photos[1])
    assert snapshot.num_held_back() == 2


def test_an_editors_snapshot_counts_lessons_taken_back_since(subject: Subject, alice: User):
    batch = correct(subject, alice)[-1].batch
    snapshot = freeze_corrections(by=alice)
    assert snapshot.num_held_back() == 0
    undo_last(batch, by=alice)
    assert snapshot.num_held_back() == 1
