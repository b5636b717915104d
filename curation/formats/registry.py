"""The layouts by name: what each is for, in one sentence, and how it is written and recognised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from curation.formats import archive, imagefolder, kohya, musubi
from curation.formats.pieces import Dataset
from curation.formats.reading import Contents, Found


@dataclass(frozen=True, slots=True)
class Layout:
    """`for_lessons`: whether it has a place for the pictures that an edit began from."""

    label: str
    sentence: str
    write: Callable[[Dataset], Iterator[tuple[str, bytes]]]
    read: Callable[[Contents], Found | None]
    for_lessons: bool = False


LAYOUTS = {
    "kohya": Layout(
        "Folders with .txt",
        "For kohya's sd-scripts, ai-toolkit and OneTrainer: a .txt beside each picture, weights as "
        "repeats.",
        kohya.write,
        kohya.read,
        for_lessons=True,
    ),
    "musubi": Layout(
        "JSON lines",
        "For musubi-tuner: one line a picture. Without weights.",
        musubi.write,
        musubi.read,
        for_lessons=True,
    ),
    "imagefolder": Layout(
        "Hugging Face image folder",
        "For the diffusers scripts and the Hub: metadata.jsonl. Without weights.",
        imagefolder.write,
        imagefolder.read,
    ),
    "archive": Layout(
        "FLENwheel archive",
        "For another FLENwheel, or to keep: with lineage, decisions and tags.",
        archive.write,
        archive.read,
    ),
}


def recognise(contents: Contents) -> Found | None:
    """The most particular layout first; None where an archive holds pictures and nothing else."""
    readers = (LAYOUTS[name].read for name in ("archive", "imagefolder", "musubi", "kohya"))
    return next((found for read in readers if (found := read(contents))), None)
