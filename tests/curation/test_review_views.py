from __future__ import annotations

import io
import uuid
from base64 import b64encode

import PIL.Image
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curation.files.storage import folder_of
from curation.models import (
    Batch,
    Choice,
    Correction,
    Decision,
    Reason,
    ReviewItem,
    Subject,
    Verdict,
)
from curation.reviewing.claiming import PAGE
from tests.curation.cast import make_item, make_photos

JSON = {"Accept": "application/json"}


@pytest.fixture
def desk(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def say(client: Client, item: ReviewItem, choice: str, **facts: object):
    return client.post(reverse("decide", args=[item.pk]), {"choice": choice, **facts}, headers=JSON)


def verdict(item: ReviewItem) -> str:
    item.image.refresh_from_db()
    return item.image.verdict


def test_review_leads_to_the_newest_batch_in_which_something_waits(
    desk: Client, subject: Subject
) -> None:
    old = make_item(subject)
    done = Batch.objects.create(subject=subject, title="decided")
    answer = desk.get(reverse("review", args=["juno"]))
    assert answer.url == reverse("review_batch", args=["juno", old.batch_id])
    assert done.pk > old.batch_id


def test_without_anything_to_review_the_page_says_how_pictures_come(
    desk: Client, subject: Subject
) -> None:
    words = desk.get(reverse("review", args=["juno"])).content.decode()
    assert "Nothing to review yet" in words
    assert reverse("enrich", args=["juno"]) in words


def test_the_desk_shows_what_was_asked_and_what_the_gate_thinks(
    desk: Client, subject: Subject
) -> None:
    make_photos(subject)
    item = make_item(
        subject,
        view="left profile",
        expression="sad",
        pose="portrait",
        provenance={"prompt": "Turn the head.", "seed": 4117},
    )
    ReviewItem.objects.update(gate="amber", gate_reason="0.41: between the lines.", score=0.41)
    words = desk.get(reverse("review_batch", args=["juno", item.batch_id])).content.decode()
    for expected in ("sad, left profile", "Turn the head.", "0.41: between", "seed 4117"):
        assert expected in words


def test_accept_reject_and_skip_are_recorded_with_author_reasons_and_time(
    desk: Client, subject: Subject, alice: User
) -> None:
    kept, refused, later = (make_item(subject, number) for number in range(3))
    assert say(desk, kept, "accept", seconds="1.5").json()["verdict"] == "accepted"
    say(desk, refused, "reject", reasons=["identity", "limbs"])
    say(desk, later, "skip")
    decision = Decision.objects.get(item=refused)
    assert (decision.author, decision.reasons) == (alice, [Reason.IDENTITY, Reason.LIMBS])
    assert Decision.objects.get(item=kept).seconds == 1.5
    assert [verdict(i) for i in (kept, refused, later)] == ["accepted", "rejected", "pending"]


def test_a_decision_sent_twice_is_one_decision(desk: Client, subject: Subject) -> None:
    item, key = make_item(subject), uuid.uuid4()
    for _ in range(2):
        assert say(desk, item, "accept", key=key).status_code == 200
    assert Decision.objects.count() == 1


def test_an_undo_sent_twice_takes_back_one_decision(desk: Client, subject: Subject) -> None:
    first, second = make_item(subject, 1), make_item(subject, 2)
    keys = [uuid.uuid4(), uuid.uuid4()]
    say(desk, first, "accept", key=keys[0])
    say(desk, second, "accept", key=keys[1])
    for _ in range(2):
        undo = reverse("undo", args=[first.batch_id])
        answer = desk.post(undo, {"key": keys[1]}, headers=JSON)
        assert answer.json() == {"item": second.pk, "verdict": "pending"}
    assert verdict(first) == Verdict.ACCEPTED


def test_one_cannot_undo_somebody_elses_decision(desk: Client, subject: Subject, bob: User) -> None:
    item, key = make_item(subject), uuid.uuid4()
    say(desk, item, "accept", key=key)
    desk.force_login(bob)
    undo = reverse("undo", args=[item.batch_id])
    assert desk.post(undo, {"key": key}, headers=JSON).status_code == 404
    desk.post(undo)
    assert verdict(item) == Verdict.ACCEPTED


def test_an_unknown_choice_or_reason_is_refused(desk: Client, subject: Subject) -> None:
    item = make_item(subject)
    assert say(desk, item, "undo").status_code == 422
    assert say(desk, item, "reject", reasons=["because"]).status_code == 422
    assert not Decision.objects.exists()


def test_without_a_script_the_form_leads_on_to_the_next_picture(
    desk: Client, subject: Subject
) -> None:
    first, second = make_item(subject, 1), make_item(subject, 2)
    answer = desk.post(reverse("decide", args=[first.pk]), {"choice": Choice.ACCEPT}, follow=True)
    assert answer.context["current"].item == second
    answer = desk.post(reverse("undo", args=[first.batch_id]), follow=True)
    assert answer.context["current"].item == first


def test_nobody_signs_what_another_persons_page_sends(
    desk: Client, subject: Subject, alice: User, bob: User
) -> None:
    item, signed = make_item(subject), JSON | {"X-User": str(alice.pk)}
    decision, undo = reverse("decide", args=[item.pk]), reverse("undo", args=[item.batch_id])
    desk.force_login(bob)
    assert desk.post(decision, {"choice": "accept"}, headers=signed).status_code == 409
    assert desk.post(undo, headers=signed).status_code == 409
    assert not Decision.objects.exists()
    desk.force_login(alice)
    assert desk.post(decision, {"choice": "accept"}, headers=signed).status_code == 200
    assert Decision.objects.get().author == alice


def test_skipped_pictures_come_last(desk: Client, subject: Subject) -> None:
    first, second = make_item(subject, 1), make_item(subject, 2)
    say(desk, first, "skip")
    page = desk.get(reverse("review_batch", args=["juno", first.batch_id]))
    assert page.context["current"].item == second


def test_the_desk_costs_the_same_for_many_pictures(
    desk: Client, subject: Subject, django_assert_max_num_queries
) -> None:
    make_photos(subject)
    items = [make_item(subject, number) for number in range(30)]
    with django_assert_max_num_queries(14):
        desk.get(reverse("review_batch", args=["juno", items[0].batch_id]))


def test_the_grid_opens_with_a_page_of_thumbnails_and_nothing_larger(
    desk: Client, subject: Subject, django_assert_max_num_queries
) -> None:
    items = [make_item(subject, number) for number in range(PAGE + 2)]
    for item in items[1:]:
        folder = folder_of(item.image.sha256)
        folder.mkdir(parents=True)
        (folder / "256.webp").write_bytes(item.image.sha256.encode())
    with django_assert_max_num_queries(14):
        page = desk.get(reverse("review_batch", args=["juno", items[0].batch_id]) + "?view=grid")
    assert page.context["tiles"] == items[:PAGE]
    told = page.content.decode()
    inlined = [b64encode(item.image.sha256.encode()).decode() for item in items]
    assert [f'<img src="data:image/webp;base64,{data}"' in told for data in inlined] == (
        [False] + [True] * (PAGE - 1) + [False] * 2
    )
    assert f'<img src="/media/{items[0].image.sha256}/256"' in told  # Its file is gone.
    assert 'class="candidate' not in told


def test_looking_at_a_picture_reads_no_list_of_all_scores(desk: Client, subject: Subject) -> None:
    item = make_item(subject)
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(reverse("look", args=[item.pk])).status_code == 200
    asked = [query["sql"] for query in queries if "curation_calibration" in query["sql"]]
    assert len(asked) == 1
    assert '"scores"' not in asked[0]
    assert '"strangers"' not in asked[0]


def corrected() -> SimpleUploadedFile:
    data = io.BytesIO()
    PIL.Image.new("RGB", (96, 96), "plum").save(data, "PNG")
    return SimpleUploadedFile("fixed.png", data.getvalue())


def test_a_corrected_file_is_a_lesson_and_the_editors_own_answer_is_rejected(
    desk: Client, subject: Subject
) -> None:
    photo = make_photos(subject, 1)[0]
    item = make_item(subject, provenance={"prompt": "Turn the head."})
    ReviewItem.objects.filter(pk=item.pk).update(source=photo)
    desk.post(reverse("correct", args=[item.pk]), {"picture": corrected()}, headers=JSON)
    lesson = Correction.objects.get()
    assert (lesson.source, lesson.rejected) == (photo, item.image)
    assert lesson.instruction == "Turn the head."
    assert verdict(item) == Verdict.REJECTED


def test_what_is_no_picture_is_refused_with_a_sentence_and_nothing_is_decided(
    desk: Client, subject: Subject
) -> None:
    item = make_item(subject)
    ReviewItem.objects.filter(pk=item.pk).update(source=make_photos(subject, 1)[0])
    bad = SimpleUploadedFile("lora.bin", b"\x80\x02not a picture")
    answer = desk.post(reverse("correct", args=[item.pk]), {"picture": bad}, headers=JSON)
    assert answer.status_code == 422
    assert "lora.bin" in answer.json()["errors"][0]
    assert verdict(item) == Verdict.PENDING


def test_a_picture_made_from_nothing_cannot_be_corrected(desk: Client, subject: Subject) -> None:
    item = make_item(subject)
    answer = desk.post(reverse("correct", args=[item.pk]), {"picture": corrected()}, headers=JSON)
    assert answer.status_code == 422
    assert "no edit to correct" in answer.json()["errors"][0]


def test_an_outsider_neither_sees_nor_decides(
    desk: Client, charlie: User, subject: Subject
) -> None:
    item = make_item(subject)
    desk.force_login(charlie)
    assert desk.get(reverse("review_batch", args=["juno", item.batch_id])).status_code == 404
    assert desk.get(reverse("look", args=[item.pk])).status_code == 404
    assert say(desk, item, "accept").status_code == 404
    assert desk.post(reverse("undo", args=[item.batch_id])).status_code == 404
    assert verdict(item) == Verdict.PENDING


def test_what_people_wrote_is_text_on_the_desk_and_in_its_claims(
    desk: Client, subject: Subject
) -> None:
    item = make_item(subject, 1)
    hostile = "\"'><script>alert(1)</script>"
    made = {"prompt": hostile, "said": hostile, "base": hostile, "loras": [{"name": hostile}]}
    type(item.image).objects.filter(pk=item.image_id).update(provenance=made)
    type(item).objects.filter(pk=item.pk).update(gate="amber", gate_reason=hostile)
    page = desk.get(reverse("review_batch", args=["juno", item.batch_id])).content.decode()
    claimed = desk.post(reverse("claim", args=[item.batch_id]), {"lease": str(uuid.uuid4())})
    for told in (page, claimed.content.decode()):
        assert "<script>alert" not in told
        assert told.count("&lt;script&gt;alert(1)") == 5
        assert f'id="item-{item.pk}"' in told
