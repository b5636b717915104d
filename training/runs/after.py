"""What a run is called on its page, how long it took, and what a person does when it is done."""

from __future__ import annotations

from django.urls import reverse

from curation.models import ReviewItem, Subject
from training.models import Benchmark, Run, RunKind, RunStatus
from training.turns.wheel import NextStep


def title(run: Run) -> str:
    if run.kind == RunKind.TRAIN:
        return "Train the editor's LoRA" if run.subject is None else f"Train {run.subject}'s LoRA"
    if run.kind == RunKind.BENCHMARK:
        return f"Measure {run.lora or 'the base'}"
    return {
        RunKind.MEASURE: "Measure the photos",
        RunKind.ENRICH: "Enrich the photos",
        RunKind.EDIT: "Edit again",
        RunKind.GENERATE: f"Generate with {run.lora}",
        RunKind.OTHERS: "Draw others of the class",
        RunKind.CAPTION: "Propose captions",
        RunKind.SWEEP: f"Try {run.lora} at several strengths",
        RunKind.TRY: f"Try {run.lora}",
    }[RunKind(run.kind)]


def took(run: Run) -> float | None:
    """Seconds from its last start to its end."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()


def after(run: Run) -> NextStep | None:
    """The step that this run opens; review begins while pictures still arrive."""
    if run.subject is None or run.kind == RunKind.MEASURE:
        return _after_editor(run)
    if run.batch is not None:
        return _review(run)
    if run.status != RunStatus.SUCCEEDED:
        return None
    return _done(run, run.subject)


def _done(run: Run, subject: Subject) -> NextStep:
    if run.kind == RunKind.CAPTION:
        captions = reverse("captions", args=[subject.slug])
        return NextStep("Look at the captions", "Nothing is taken before you say so.", captions)
    if run.kind == RunKind.SWEEP:
        lora = reverse("lora_detail", args=[run.lora_id])
        return NextStep("Compare the strengths", "One is advised; you say which is used.", lora)
    if run.kind == RunKind.TRY:
        tries = reverse("try_lora", args=[run.lora_id])
        return NextStep("See the pictures", "They stand beside the earlier tries.", tries)
    card = reverse("card", args=[subject.slug])
    if run.kind == RunKind.TRAIN and not _is_measured(run):
        why = "No version counts before its card is drawn beside the last one's."
        return NextStep("Measure it on the model card", why, card)
    return NextStep("Open the model card", "Its column stands beside the others.", card)


def _is_measured(run: Run) -> bool:
    done = Benchmark.objects.filter(run__status=RunStatus.SUCCEEDED)
    return done.filter(lora__run=run).exists()


def _after_editor(run: Run) -> NextStep | None:
    if run.status != RunStatus.SUCCEEDED:
        return None
    if run.subject is not None:
        why = "Coverage and likeness are known for every photo."
        return NextStep("To the wheel", why, run.subject.get_absolute_url())
    why = "Measure it on edits of people it never saw, then put it to use."
    return NextStep("To the editor wheel", why, reverse("editor"))


def _review(run: Run) -> NextStep | None:
    assert run.subject is not None
    waiting = ReviewItem.objects.waiting().filter(batch=run.batch).count()
    if not waiting:
        return None
    url = reverse("review_batch", args=[run.subject.slug, run.batch_id])
    why = "Only what a person accepts is ever trained on."
    if not run.is_finished:
        why = "You can begin; what is still being made joins while you look."
    return NextStep(f"Review {waiting} picture{'s'[: waiting > 1]}", why, url)
