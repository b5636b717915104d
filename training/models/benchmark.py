"""The model card: cells of pictures under the same seeds, and what was measured in each."""

from __future__ import annotations

from django.db import models

from curation import shots
from curation.models import Image, Subject
from curation.models.image import words
from training.models.base import BaseModel
from training.models.lora import LoraVersion
from training.models.run import Run


class Benchmark(models.Model):
    """One column of a card: a LoRA version, or the base alone where `lora` is null.

    `suite` names the cells and seeds: columns are compared only within one suite. An editor
    benchmark has no subject: its cells are edits of held-out pictures.
    """

    subject = models.ForeignKey(
        Subject, on_delete=models.CASCADE, null=True, blank=True, related_name="benchmarks"
    )
    base = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="+")
    lora = models.ForeignKey(
        LoraVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="benchmarks"
    )
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="benchmark")
    suite = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.lora or 'base'} on {self.suite}"


class Cell(models.Model):
    """One picture of a benchmark: what was asked, under which seed, and what came."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="cells")
    ordinal = models.PositiveIntegerField()
    view = words(shots.VIEWS)
    expression = words(shots.EXPRESSIONS)
    pose = words(shots.POSES)
    seed = models.PositiveIntegerField()
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "ordinal"], name="cell_once_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.shot}, seed {self.seed}"

    @property
    def shot(self) -> shots.Shot:
        return shots.Shot(self.view, self.expression, self.pose)


class Score(models.Model):
    """One figure about one cell; null says that it could not be taken, never that it is low."""

    class Metric(models.TextChoices):
        IDENTITY = "identity", "Identity (cosine)"
        PERSON = "person", "Right person"
        VIEW = "view", "Right view"
        EXPRESSION = "expression", "Right expression"
        POSE = "pose", "Right pose"

    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=12, choices=Metric)
    value = models.FloatField(null=True)
    scorer = models.CharField(max_length=120, help_text="Name and hash of the model that scored.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cell", "metric", "scorer"], name="score_once_per_cell_metric_and_scorer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"
