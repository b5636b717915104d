from __future__ import annotations

import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import Origin, Snapshot, SnapshotItem, Subject
from tests.curation.cast import make_image, make_item
from tests.training.cast import make_run
from tests.training.pages import (
    loss_line,
    make_column,
    make_finished_run,
    make_lora,
    scores_at,
    write_likeness,
    write_losses,
)
from training.models import Run, RunItem, RunKind, RunStatus

POLLING = 'hx-trigger="every 1s"'


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def start(run: Run, **facts: object) -> Run:
    claimed = Run.objects.claim(run.pk, worker="here/1/0")
    assert claimed is not None
    claimed.report(**facts)
    return claimed


def test_a_run_is_followed_until_it_is_finished(page: Client, subject: Subject) -> None:
    run = start(make_run(subject, total=10), progress=4, rate=2.0, phase="making pictures")
    url = reverse("run_progress", args=[run.pk])
    words = page.get(url).content.decode()
    assert POLLING in words
    assert "4 of 10" in words
    assert "2.0 pictures a second" in words
    assert "3 s" in words
    run.succeed()
    assert POLLING not in page.get(url).content.decode()


def test_the_fragment_is_not_a_whole_page(page: Client, subject: Subject) -> None:
    run = make_run(subject)
    assert "<html" not in page.get(reverse("run_progress", args=[run.pk])).content.decode()
    assert "<html" in page.get(run.get_absolute_url()).content.decode()


def test_pictures_appear_while_they_are_made(page: Client, subject: Subject) -> None:
    run = start(make_run(subject, RunKind.ENRICH))
    item = make_item(subject, 1)
    RunItem.objects.create(run=run, ordinal=0, request={}, image=item.image, done_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(batch=item.batch)
    words = page.get(run.get_absolute_url()).content.decode()
    assert reverse("media", args=[item.image.sha256, 256]) in words
    assert "Review 1 picture<" in words


def test_a_failed_run_says_why_and_offers_to_try_again(page: Client, subject: Subject) -> None:
    run = start(make_run(subject))
    run.fail("The LoRA does nothing.", traceback="Traceback: secret")
    words = page.get(run.get_absolute_url()).content.decode()
    assert "The LoRA does nothing." in words
    assert "Try again" in words
    assert "Traceback: secret" not in words


def test_staff_read_the_traceback(page: Client, subject: Subject, alice: User) -> None:
    run = start(make_run(subject))
    run.fail("Out of memory.", traceback="Traceback: at line 7")
    alice.is_staff = True
    alice.save()
    assert "Traceback: at line 7" in page.get(run.get_absolute_url()).content.decode()


def test_cancelling_stops_the_run(page: Client, subject: Subject) -> None:
    run = start(make_run(subject))
    page.post(reverse("cancel_run", args=[run.pk]))
    assert Run.objects.get().status == RunStatus.CANCELLED


def test_cancelling_what_is_done_changes_nothing(page: Client, subject: Subject) -> None:
    run = make_finished_run(subject, RunKind.ENRICH)
    answer = page.post(reverse("cancel_run", args=[run.pk]), follow=True)
    assert Run.objects.get().status == RunStatus.SUCCEEDED
    assert "had moved on" in answer.content.decode()


def test_a_cancelled_run_is_resumed(page: Client, subject: Subject) -> None:
    run = make_run(subject)
    run.cancel()
    page.post(reverse("resume_run", args=[run.pk]))
    assert Run.objects.get().status == RunStatus.QUEUED


def test_resuming_twice_is_said_kindly(page: Client, subject: Subject) -> None:
    run = make_run(subject)
    answer = page.post(reverse("resume_run", args=[run.pk]), follow=True)
    assert "already on its way" in answer.content.decode()


@pytest.mark.parametrize("name", ["cancel_run", "resume_run"])
def test_a_run_is_never_moved_by_following_a_link(
    page: Client, subject: Subject, name: str
) -> None:
    assert page.get(reverse(name, args=[make_run(subject).pk])).status_code == 405


@pytest.mark.parametrize("name", ["run_detail", "run_progress", "run_loss", "cancel_run"])
def test_an_outsider_finds_no_run(page: Client, subject: Subject, charlie: User, name: str) -> None:
    run = make_run(subject)
    page.force_login(charlie)
    send = page.post if name == "cancel_run" else page.get
    assert send(reverse(name, args=[run.pk])).status_code == 404
    assert Run.objects.get().status == RunStatus.QUEUED


def test_the_loss_survives_a_half_written_line_and_a_step_done_twice(
    page: Client, subject: Subject
) -> None:
    run = make_run(subject, RunKind.TRAIN)
    lines = [loss_line(1, 0.9), loss_line(2, 0.8), loss_line(2, 0.7), '{"step": 3, "lo']
    write_losses(run, lines)
    curve = page.get(reverse("run_loss", args=[run.pk])).json()
    assert curve == {"steps": [1, 2], "losses": [0.9, 0.7], "finished": False}


def test_a_long_loss_curve_is_thinned(page: Client, subject: Subject) -> None:
    run = make_run(subject, RunKind.TRAIN)
    write_losses(run, [loss_line(step, 0.1) for step in range(4000)])
    assert len(page.get(reverse("run_loss", args=[run.pk])).json()["steps"]) <= 1500


def test_samples_are_shown_newest_first(page: Client, subject: Subject) -> None:
    run = make_run(subject, RunKind.TRAIN)
    write_losses(run, [])
    for name in ("step-0100-0.png", "step-0200-1.png", "step-0200-0.png"):
        (live.RUNS / str(run.pk) / "samples" / name).write_bytes(b"png")
    steps = page.get(run.get_absolute_url()).context["checkpoints"]
    assert [step.names for step in steps] == [
        ("step-0200-0.png", "step-0200-1.png"),
        ("step-0100-0.png",),
    ]
    answer = page.get(reverse("run_sample", args=[run.pk, "step-0100-0.png"]))
    assert b"".join(answer.streaming_content) == b"png"


@pytest.mark.parametrize("name", ["job.json", "..", "step-1-1.png", "step-0001-0.png.txt"])
def test_no_other_file_of_a_run_is_served(page: Client, subject: Subject, name: str) -> None:
    run = make_run(subject, RunKind.TRAIN)
    write_losses(run, [])
    (live.RUNS / str(run.pk) / "job.json").write_text("{}")
    assert page.get(reverse("run_sample", args=[run.pk, name])).status_code == 404


def test_runs_are_listed_in_pages_by_key(page: Client, subject: Subject) -> None:
    made = [make_run(subject).pk for _ in range(32)]
    first = page.get(reverse("runs", args=["juno"])).context
    rest = page.get(reverse("runs", args=["juno"]), {"before": first["older"]}).context
    assert [r.pk for r in first["runs"]] + [r.pk for r in rest["runs"]] == made[::-1]
    assert rest["older"] is None


def test_a_place_in_the_list_that_is_no_number_is_none(page: Client, subject: Subject) -> None:
    run = make_run(subject)
    for before in ("x", "²", ""):
        assert page.get(reverse("runs", args=["juno"]), {"before": before}).context["runs"] == [run]


def test_runs_are_filtered_by_status(page: Client, subject: Subject) -> None:
    make_run(subject)
    failed = start(make_run(subject))
    failed.fail("No.")
    listed = page.get(reverse("runs", args=["juno"]), {"status": "failed"}).context["runs"]
    assert [run.pk for run in listed] == [failed.pk]


def test_a_longer_list_asks_no_more_questions(
    page: Client, subject: Subject, django_assert_num_queries
) -> None:
    make_lora(subject)
    url = reverse("runs", args=["juno"])
    with django_assert_num_queries(6):
        page.get(url)
    for number in range(2, 6):
        make_lora(subject, number)
    with django_assert_num_queries(6):
        page.get(url)


def test_all_runs_are_those_of_ones_own_subjects_and_the_editors(
    page: Client, subject: Subject
) -> None:
    other = Subject.objects.create(name="Kit", slug="kit", instance_token="ohwx_kit")
    mine, editors = make_run(subject), make_run(None, RunKind.TRAIN)
    make_run(other)
    listed = page.get(reverse("all_runs")).context["runs"]
    assert {run.pk for run in listed} == {mine.pk, editors.pk}


def editor_run_on(subject: Subject) -> Run:
    """The editor, trained on a correction of the subject; with a sample and a loss."""
    snapshot = Snapshot.objects.create(purpose=Snapshot.Purpose.EDITOR, sha256="e" * 64)
    target = make_image(subject, 1, origin=Origin.RETOUCHED)
    SnapshotItem.objects.create(snapshot=snapshot, ordinal=0, image=target, caption="Smile.")
    run = make_run(None, RunKind.TRAIN, snapshot=snapshot)
    write_losses(run, [])
    (live.RUNS / str(run.pk) / "samples" / "step-0100-0.png").write_bytes(b"png")
    return run


def shows_its_sample(page: Client, run: Run) -> bool:
    sample = reverse("run_sample", args=[run.pk, "step-0100-0.png"])
    on_page = sample in page.get(run.get_absolute_url()).content.decode()
    status = page.get(sample).status_code
    assert status == (200 if on_page else 404)
    return on_page


def test_samples_of_the_editor_are_for_those_who_may_see_every_picture_behind_them(
    page: Client, subject: Subject, charlie: User
) -> None:
    run = editor_run_on(subject)
    assert shows_its_sample(page, run)
    page.force_login(charlie)
    assert not shows_its_sample(page, run)
    User.objects.filter(pk=charlie.pk).update(is_staff=True)
    assert shows_its_sample(page, run)


def test_edits_of_others_photos_are_not_shown_with_the_editors_run(
    page: Client, subject: Subject, charlie: User
) -> None:
    run = make_run(None, RunKind.BENCHMARK)
    photo, edit = make_image(subject, 1), make_image(subject, 2, origin=Origin.BENCHMARK)
    facts = {"source": photo, "image": edit, "request": {}, "done_at": timezone.now()}
    RunItem.objects.create(run=run, ordinal=0, **facts)
    assert edit.sha256 in page.get(run.get_absolute_url()).content.decode()
    page.force_login(charlie)
    assert edit.sha256 not in page.get(run.get_absolute_url()).content.decode()


def test_only_staff_cancel_and_resume_the_editors_runs(page: Client, alice: User) -> None:
    run = make_run(None, RunKind.TRAIN)
    cancel, resume = (reverse(name, args=[run.pk]) for name in ("cancel_run", "resume_run"))
    assert page.post(cancel).status_code == 403
    assert "Cancel</button>" not in page.get(run.get_absolute_url()).content.decode()
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert "Cancel</button>" in page.get(run.get_absolute_url()).content.decode()
    page.post(cancel)
    assert Run.objects.get().status == RunStatus.CANCELLED
    User.objects.filter(pk=alice.pk).update(is_staff=False)
    assert page.post(resume).status_code == 403
    assert Run.objects.get().status == RunStatus.CANCELLED


def scored_run(subject: Subject, **facts: object) -> Run:
    run = make_run(subject, RunKind.TRAIN, total=300, **facts)
    write_losses(run, [])
    for step in (100, 200, 300):
        (live.RUNS / str(run.pk) / "samples" / f"step-{step:04d}-0.png").write_bytes(b"png")
    write_likeness(run, scores_at(100, 0.5), scores_at(200, 0.7), scores_at(300, 0.6))
    return run


def test_likeness_is_drawn_while_a_training_runs_and_the_likest_so_far_is_marked(
    page: Client, subject: Subject
) -> None:
    run = start(scored_run(subject), phase="train")
    shown = page.get(reverse("run_progress", args=[run.pk]))
    assert [plot.title for plot in shown.context["plots"]] == [
        "Likeness",
        "Shows what was asked for",
        "Copying",
        "Diversity",
    ]
    assert shown.context["kept"] == 200
    words = shown.content.decode()
    assert "The likest so far is that of step 200." in words
    assert "The recipe keeps the last step." in words
    assert words.count('class="kept"') == 1 + len(shown.context["plots"])


def test_the_kept_step_is_explained_once_there_is_a_lora(page: Client, subject: Subject) -> None:
    lora = make_lora(subject, step=100, why_kept="Step 100 of 300 is kept: because.")
    write_losses(lora.run, [])
    write_likeness(lora.run, scores_at(100, 0.5), scores_at(200, 0.7))
    shown = page.get(lora.run.get_absolute_url())
    assert shown.context["kept"] == 100
    assert "Step 100 of 300 is kept: because." in shown.content.decode()
    assert (
        "Step 100 of 300 is kept: because."
        in page.get(reverse("lora_detail", args=[lora.pk])).content.decode()
    )


def test_a_new_version_is_measured_next_and_a_measured_one_looked_at(
    page: Client, subject: Subject
) -> None:
    lora = make_lora(subject)
    write_losses(lora.run, [])
    assert "Measure it on the model card" in page.get(lora.run.get_absolute_url()).content.decode()
    make_column(subject, lora, right=True)
    assert "Open the model card" in page.get(lora.run.get_absolute_url()).content.decode()


def test_a_training_that_nothing_scores_says_why(page: Client, subject: Subject) -> None:
    run = start(make_run(subject, RunKind.TRAIN))
    words = page.get(run.get_absolute_url()).content.decode()
    assert "The last step will be kept: no model to measure likeness with is set up" in words


LOG = "\n".join(
    [*(f"line {n}" for n in range(300)), 'File "/home/ana/app/training/loop.py", line 3 <script>']
)


def failed_with_log(subject: Subject) -> Run:
    run = start(make_run(subject, RunKind.TRAIN))
    run.fail("The loss stopped being a number.", traceback="Traceback: at line 7")
    write_losses(run, [])
    (live.RUNS / str(run.pk) / "child.log").write_text(LOG)
    return run


def test_a_failed_runs_log_is_read_by_its_members_without_folders(
    page: Client, subject: Subject
) -> None:
    run = failed_with_log(subject)
    words = page.get(run.get_absolute_url()).content.decode()
    assert "…/loop.py" in words
    assert "/home/ana" not in words
    assert "&lt;script&gt;" in words
    assert "line 101\n" in words
    assert "line 100\n" not in words
    assert reverse("resume_run", args=[run.pk]) in words


def test_operators_read_where_the_files_lie(page: Client, subject: Subject, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    words = page.get(failed_with_log(subject).get_absolute_url()).content.decode()
    assert "/home/ana/app/training/loop.py" in words
