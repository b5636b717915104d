"""Draw the cells of a card and score each, with other models than the gate's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial

from PIL.Image import Image as Picture

from curation.embeddings import Vectors, stack
from curation.likeness import leave_one_out, nearest
from curation.models import Image, Subject
from curation.shots import Shot
from curation.storage import open_picture
from training.book import Acquaintance, Book
from training.engines.eyes import Eyes
from training.eyes import open_eyes
from training.making import Keep, installed, make_all
from training.models import Benchmark, Cell, Family, Run, RunItem, Score

Metric = Score.Metric
Scores = dict[str, float | None]
"""Metric -> value; None where it could not be taken."""


@dataclass(frozen=True)
class Judge:
    """What a subject's pictures are scored by: its photos, and its book where it has one."""

    eyes: Eyes
    references: Vectors
    acquaintance: Acquaintance | None

    @cached_property
    def own_line(self) -> float:
        """What the photo scores that is least like the others."""
        return float(leave_one_out(self.references).min()) if len(self.references) > 1 else -1.0

    def scores(self, picture: Picture, asked: Shot) -> Scores:
        embedding = self.eyes.embed(picture)
        identity = (
            float(nearest(embedding[None], self.references)[0])
            if embedding is not None and len(self.references)
            else None
        )
        seen = self.eyes.read(picture)
        person = None if identity is None else float(identity >= self.own_line)
        if seen is None:
            return {Metric.IDENTITY: identity, Metric.PERSON: person}
        if self.acquaintance is not None:
            person = float(self.acquaintance.is_right_person(seen, asked))
        is_expressed = seen.expression == asked.expression or not asked.is_portrait
        return {
            Metric.IDENTITY: identity,
            Metric.PERSON: person,
            Metric.VIEW: float(seen.view == asked.view),
            Metric.EXPRESSION: float(is_expressed),
            Metric.POSE: float(seen.pose == asked.pose),
        }


def judge_of(subject: Subject, eyes: Eyes) -> Judge:
    """Embeds the subject's photos with the benchmark's own weights."""
    photos = Image.objects.photos().filter(subject=subject).order_by("pk")
    vectors = [eyes.embed(open_picture(photo)) for photo in photos]
    references = stack([vector for vector in vectors if vector is not None])
    book = Book.of(subject)
    acquaintance = Acquaintance(book, eyes.reader) if book and eyes.reader else None
    return Judge(eyes, references, acquaintance)


def benchmark(run: Run) -> None:
    """Make the cells and their scores; a cell and its scores are written together."""
    column, _ = Benchmark.objects.get_or_create(
        run=run,
        defaults={
            "subject": run.subject,
            "base": run.base,
            "lora": run.lora,
            "suite": run.recipe["suite"],
        },
    )
    eyes = open_eyes(installed(Family.BENCH))
    judge = cache(lambda subject: judge_of(subject, eyes))

    def look_at(item: RunItem, made: Image) -> Keep:
        asked = Shot(item.request["view"], item.request["expression"], item.request["pose"])
        scores = judge(made.subject).scores(open_picture(made), asked)
        return partial(put_in_card, item, asked, scores)

    def put_in_card(item: RunItem, asked: Shot, scores: Scores, image: Image) -> None:
        cell, _ = Cell.objects.get_or_create(
            benchmark=column,
            ordinal=item.ordinal,
            defaults={
                "view": asked.view,
                "expression": asked.expression,
                "pose": asked.pose,
                "seed": item.request["seed"],
                "image": image,
            },
        )
        Score.objects.bulk_create(
            [
                Score(cell=cell, metric=metric, value=value, scorer=eyes.scorer)
                for metric, value in scores.items()
            ],
            ignore_conflicts=True,
        )

    make_all(run, look_at)
