"""Draw others of the class by the base alone, so that a LoRA need not turn everybody into one."""

from __future__ import annotations

from curation.models import Image, ReviewItem
from training.making import make_all
from training.models import Run, RunItem


def make_others(run: Run) -> None:
    """People look at each. The gate judges none: it does not know whom they should be."""
    batch = run.batch
    assert batch is not None

    def finish(_: RunItem, image: Image) -> None:
        ReviewItem.objects.get_or_create(image=image, defaults={"batch": batch})

    make_all(run, finish)
