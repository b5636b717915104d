"""Pictures drawn while a training goes on, so that people see how it goes."""

from __future__ import annotations

from io import BytesIO

from training.engines.base import Recipe
from training.engines.checkpoint import write_atomically
from training.engines.drawing import open_picture
from training.engines.learner import Learner
from training.engines.preparing import Run


def is_sampled(recipe: Recipe, done: int) -> bool:
    """Whether pictures are drawn after `done` steps."""
    return recipe.sample_every > 0 and (done % recipe.sample_every == 0 or done == recipe.steps)


def draw_samples(run: Run, step: int, learner: Learner) -> None:
    """Draw those of the step's samples that are not there yet, with what would be kept of the LoRA.

    Tells `sample` of each.
    """
    folder = run.job.folder / "samples"
    folder.mkdir(exist_ok=True)
    for index, (sample, words) in enumerate(run.samples):
        path = folder / f"step-{step:04d}-{index}.png"
        if path.exists():
            continue
        images, file = [open_picture(path) for path in sample.controls], BytesIO()
        with learner.averaged():
            drawn = run.denoiser.draw(words, images, sample.seed, run.watcher.beat)
        drawn.save(file, "PNG")
        write_atomically(path, file.getvalue())
        run.watcher.tell("sample", step=step, index=index, file=str(path))
