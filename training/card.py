"""The model card of a subject as a table: cells down, versions across, the same seeds beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from curation.models import Image, Subject
from curation.shots import Shot
from training.models import Benchmark, Cell, ForeignLora, LoraVersion, RunStatus, Score
from training.scoring import Interval, difference, interval, says

Metric = Score.Metric
SUCCESS = (Metric.PERSON, Metric.VIEW, Metric.EXPRESSION, Metric.POSE)
ByShot = dict[Shot, list[float]]
LEARNED = Q(lora__snapshot__items__held_out=False)


@dataclass(frozen=True, slots=True)
class CellView:
    """`is_right`: the right person and view and expression or pose; None when not readable."""

    image: Image
    seed: int
    identity: float | None
    is_right: bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A version under measure; `num_images` is how many it learned from, 0 for the base."""

    benchmark: Benchmark
    cells: dict[Shot, list[CellView]]
    num_images: int

    @property
    def lora(self) -> LoraVersion | None:
        return self.benchmark.lora

    @property
    def foreign(self) -> ForeignLora | None:
        return self.benchmark.run.foreign

    @property
    def title(self) -> str:
        return str(self.lora or self.foreign or "base")

    @property
    def subtitle(self) -> str:
        if self.foreign is not None:
            return "trained elsewhere"
        return "no LoRA" if self.lora is None else f"{self.num_images} images"

    @property
    def identities(self) -> ByShot:
        return {
            shot: [c.identity for c in cells if c.identity is not None]
            for shot, cells in self.cells.items()
        }

    @property
    def successes(self) -> ByShot:
        return {
            shot: [float(c.is_right) for c in cells if c.is_right is not None]
            for shot, cells in self.cells.items()
        }

    @property
    def identity(self) -> Interval | None:
        return interval(self.identities)

    @property
    def success(self) -> Interval | None:
        return interval(self.successes)


@dataclass(frozen=True, slots=True)
class CardRow:
    shot: Shot
    cells: tuple[tuple[CellView, ...], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the newest column compares with the one before it."""

    word: str
    sentence: str
    gap: Interval | None


@dataclass(frozen=True, slots=True)
class Card:
    suite: str
    columns: tuple[Column, ...]

    @property
    def rows(self) -> list[CardRow]:
        shots = list(self.columns[0].cells) if self.columns else []
        return [
            CardRow(shot, tuple(tuple(column.cells.get(shot, ())) for column in self.columns))
            for shot in shots
        ]

    @property
    def verdict(self) -> Verdict | None:
        if len(self.columns) < 2:
            return None
        return compare(self.columns[-1], self.columns[-2])


def compare(newer: Column, older: Column) -> Verdict:
    gap = difference(newer.successes, older.successes)
    word = says(gap)
    if gap is None:
        return Verdict(word, "Nothing comparable was measured yet.", None)
    head = {
        "better": f"{newer.title} is better than {older.title}",
        "worse": f"{newer.title} is worse than {older.title}",
        "cannot tell": f"{newer.title} and {older.title} cannot be told apart yet",
    }[word]
    numbers = (
        f"{100 * gap.mean:+.0f} points of cells right, 95 % interval {100 * gap.low:+.0f} to "
        f"{100 * gap.high:+.0f}, same cells and seeds."
    )
    return Verdict(word, f"{head}: {numbers}", gap)


def card(subject: Subject) -> Card:
    """The newest finished benchmark of every version, within the newest suite. Constant SQL."""
    done = (
        Benchmark.objects.filter(subject=subject, run__status=RunStatus.SUCCEEDED)
        .select_related("lora__snapshot", "base", "run__foreign")
        .annotate(num_images=Count("lora__snapshot__items", filter=LEARNED))
        .order_by("pk")
    )
    benchmarks = list(done)
    if not benchmarks:
        return Card("", ())
    suite = benchmarks[-1].suite
    newest = {(b.lora_id, b.run.foreign_id): b for b in benchmarks if b.suite == suite}
    ordered = sorted(newest.values(), key=_place)
    cells = _cells_of(ordered)
    return Card(suite, tuple(Column(b, cells[b.pk], b.num_images) for b in ordered))


def _place(benchmark: Benchmark) -> tuple[int, int, int]:
    """Base first, then foreign LoRAs, then the control, then versions as they were made."""
    lora = benchmark.lora
    if lora is None:
        return (0, 0, benchmark.run.foreign_id or 0)
    return (1, int(lora.number > 0), lora.pk)


def _cells_of(benchmarks: Iterable[Benchmark]) -> dict[int, dict[Shot, list[CellView]]]:
    cells = (
        Cell.objects.filter(benchmark__in=list(benchmarks))
        .select_related("image")
        .prefetch_related("scores")
        .order_by("benchmark", "ordinal")
    )
    table: dict[int, dict[Shot, list[CellView]]] = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        table[cell.benchmark_id][cell.shot].append(view_of(cell))
    return table


def view_of(cell: Cell) -> CellView:
    values = {score.metric: score.value for score in cell.scores.all()}
    told = [values.get(metric) for metric in SUCCESS]
    is_right = None if None in told else all(told)
    return CellView(cell.image, cell.seed, values.get(Metric.IDENTITY), is_right)
