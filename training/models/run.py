"""One piece of machine work, and the only ways its status may change.

The row is the truth, a message only a nudge: `claim` is a compare-and-swap in one UPDATE and the
only way into RUNNING. It hands out a fencing token that every later write of the worker checks.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from curation.models import Batch, Snapshot, Subject
from training.models.base import BaseModel

HEARTBEAT_TIMEOUT = dt.timedelta(seconds=60)
MAX_ATTEMPTS = 10
"""Deaths without any progress after which a run is given up: something in it kills its workers."""


class RunKind(models.TextChoices):
    MEASURE = "measure", "Measure"
    ENRICH = "enrich", "Enrich"
    EDIT = "edit", "Edit"
    GENERATE = "generate", "Generate"
    TRAIN = "train", "Train a LoRA"
    BENCHMARK = "benchmark", "Benchmark"
    OTHERS = "others", "Draw others"
    CAPTION = "caption", "Propose captions"
    SWEEP = "sweep", "Sweep strengths"
    TRY = "try", "Try a LoRA"


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


NEXT_STATUSES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset(
        {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.QUEUED}
    ),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),
    RunStatus.SUCCEEDED: frozenset(),
}
FINISHED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})
CPU_KINDS = frozenset({RunKind.MEASURE})
INTERACTIVE_KINDS = frozenset({RunKind.EDIT, RunKind.TRY})
"""Few pictures, for which somebody waits at the screen."""


class IllegalTransition(Exception):
    """The table of moves forbids this one: a bug of ours."""


class RunMoved(Exception):
    """The run is no longer this caller's: cancelled, or handed to another worker."""


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: Any) -> Self:
        """Editor runs belong to no subject: whoever is logged in sees how they go."""
        return self.filter(
            models.Q(subject=None) | models.Q(subject__in=Subject.objects.visible_to(user))
        )

    def shown_to(self, user: Any) -> Self:
        """Those whose samples and pictures `user` may see: every picture behind them is theirs."""
        others = Subject.objects.exclude(pk__in=Subject.objects.visible_to(user).values("pk"))
        return (
            self.visible_to(user)
            .exclude(snapshot__items__image__subject__in=others)
            .exclude(items__source__subject__in=others)
        )

    def waiting(self, *, cpu: bool) -> Self:
        kinds = models.Q(kind__in=CPU_KINDS)
        found = self.filter(kinds if cpu else ~kinds, status=RunStatus.QUEUED)
        return found.select_related("lora", "foreign").order_by("queued_at")

    def active(self) -> Self:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def claim(self, pk: int, *, worker: str) -> Run | None:
        """Start the waiting run `pk` for the caller alone; None if somebody was faster."""
        now = timezone.now()
        won = self.filter(pk=pk, status=RunStatus.QUEUED).update(
            status=RunStatus.RUNNING,
            worker=worker,
            fence=F("fence") + 1,
            started_at=now,
            heartbeat_at=now,
            failure="",
            traceback="",
        )
        return self.get(pk=pk) if won else None

    def silent(self) -> Self:
        return self.filter(
            status=RunStatus.RUNNING, heartbeat_at__lt=timezone.now() - HEARTBEAT_TIMEOUT
        )

    def requeue_silent(self) -> int:
        """Put back what lost its worker; give up on what lost `MAX_ATTEMPTS` of them."""
        now = timezone.now()
        hopeless = self.silent().filter(attempts__gte=MAX_ATTEMPTS)
        hopeless.update(
            status=RunStatus.FAILED,
            finished_at=now,
            failure=f"Its worker died {MAX_ATTEMPTS} times. Read the log, lower the recipe's "
            "memory needs, then press Resume: nothing that was made is lost.",
        )
        return self.silent().update(
            status=RunStatus.QUEUED, attempts=F("attempts") + 1, queued_at=now
        )


class Run(models.Model):
    """`recipe` holds every parameter; `progress` of `total` counts items, or training steps.

    `key` is of the page that asked for it, so that a form sent twice starts one run.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=RunKind)
    subject = models.ForeignKey(
        Subject, on_delete=models.CASCADE, null=True, blank=True, related_name="runs"
    )
    base = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="runs")
    lora = models.ForeignKey(
        "training.LoraVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="used_by",
    )
    foreign = models.ForeignKey(
        "training.ForeignLora",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="used_by",
    )
    snapshot = models.ForeignKey(
        Snapshot, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    recipe = models.JSONField(default=dict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    phase = models.CharField(max_length=40, blank=True)
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    rate = models.FloatField(null=True, blank=True, help_text="Items or steps a second.")
    memory_plan = models.TextField(blank=True)
    failure = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    worker = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="By e-mail, that it ended.")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["status", "kind", "queued_at"])]
        constraints = [
            models.CheckConstraint(
                name="run_finished_iff_finished_at",
                condition=models.Q(status__in=sorted(FINISHED), finished_at__isnull=False)
                | (~models.Q(status__in=sorted(FINISHED)) & models.Q(finished_at=None)),
            ),
            models.CheckConstraint(
                name="run_status_is_known", condition=models.Q(status__in=RunStatus.values)
            ),
            models.CheckConstraint(
                name="run_kind_is_known", condition=models.Q(kind__in=RunKind.values)
            ),
            models.CheckConstraint(
                name="running_has_a_fence",
                condition=~models.Q(status=RunStatus.RUNNING) | models.Q(fence__gte=1),
            ),
            models.CheckConstraint(
                name="what_is_foreign_is_only_measured",
                condition=models.Q(foreign=None)
                | models.Q(kind=RunKind.BENCHMARK, lora=None, snapshot=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("run_detail", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def can_resume(self) -> bool:
        return self.status in {RunStatus.FAILED, RunStatus.CANCELLED}

    @property
    def percent(self) -> int:
        return round(100 * self.progress / self.total) if self.total else 0

    @property
    def lora_hashes(self) -> frozenset[str]:
        """SHA-256 of every LoRA that it draws with: the wheel's own, and others' by its recipe."""
        own = {lora.sha256 for lora in (self.lora, self.foreign) if lora}
        return frozenset(own | {lora["sha256"] for lora in self.recipe.get("loras", ())})

    @property
    def seconds_left(self) -> float | None:
        """Time to go at the present rate; None while it is not known."""
        if not self.rate or self.status != RunStatus.RUNNING:
            return None
        return max(self.total - self.progress, 0) / self.rate

    def move_to(self, status: RunStatus, **changes: Any) -> None:
        """Compare-and-swap from the status and fence it was loaded with.

        Raises:
            IllegalTransition: the table forbids the move.
            RunMoved: somebody was faster.
        """
        if status not in NEXT_STATUSES[RunStatus(self.status)]:
            raise IllegalTransition(f"{self}: {self.status} -> {status}")
        changes["status"] = status
        changes["finished_at"] = timezone.now() if status in FINISHED else None
        self._swap(changes)

    def _swap(self, changes: dict[str, Any]) -> None:
        mine = Run.objects.filter(pk=self.pk, status=self.status, fence=self.fence)
        if not mine.update(**changes):
            raise RunMoved(str(self))
        for field, value in changes.items():
            setattr(self, field, value)

    def report(self, **progress: Any) -> None:
        """Say that its worker lives, and how far it is.

        Raises:
            RunMoved: the run was cancelled or handed on; the caller stops.
        """
        if progress.get("progress", 0) > self.progress:
            progress["attempts"] = 0
        self._swap({"heartbeat_at": timezone.now(), **progress})

    def succeed(self) -> None:
        self.move_to(RunStatus.SUCCEEDED, progress=self.total)

    def fail(self, sentence: str, traceback: str = "") -> None:
        self.move_to(RunStatus.FAILED, failure=sentence, traceback=traceback)

    def cancel(self) -> None:
        self.move_to(RunStatus.CANCELLED)

    def give_way(self) -> None:
        """Put it back between two pictures, in its old place, so that another may go first."""
        self.move_to(RunStatus.QUEUED, phase="")

    def resume(self) -> None:
        """Queue it again; what was made stays, training goes on from its checkpoint."""
        self.move_to(RunStatus.QUEUED, attempts=0, queued_at=timezone.now(), told_at=None)
