"""Writes one held-out character as a folder: photos, and what a person who knows them knows.

`photos` vary as little as real people's do. `book` is the truth in the head of whoever knows the
character; `retouches` are the corrections such a person would paint. Needs Pillow only.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.shots import Shot, bodies, portraits
from paperdolls.world import BACKGROUNDS, SHIRTS, Identity, Scene, draw, held_out

NAMES = (
    *("Juno", "Milo", "Vera", "Otto", "Iris", "Hugo", "Cleo", "Emil"),
    *("Nora", "Axel", "Lena", "Theo", "Mara", "Finn", "Zora", "Bela"),
    *("Ada", "Kurt", "Ines", "Pavel", "Rosa", "Sami", "Tilda", "Uwe"),
    *("Wanda", "Yann", "Greta", "Dario", "Edda", "Jonas", "Ophra", "Quinn"),
)
"""One for each held-out person."""

PHOTOS = (
    (Shot(), 4),
    (Shot("three-quarter left"), 3),
    (Shot("three-quarter right"), 2),
    (Shot(expression="smiling"), 2),
    (Shot(pose="standing"), 1),
)
BOOK_SCENE = ("blue", "grey")
"""The shirt and the background of the book's drawings."""
STRANGERS = 4


@dataclass(frozen=True, slots=True)
class Page:
    """A drawing to be written under `file`, which is relative to the character's folder."""

    file: str
    scene: Scene

    def facts(self) -> dict[str, str]:
        shot = self.scene.shot
        return {
            "file": self.file,
            "view": shot.view,
            "expression": shot.expression,
            "pose": shot.pose,
            "clothes": f"{self.scene.shirt} shirt",
            "background": self.scene.background,
        }


def cells() -> list[Shot]:
    """Every cell of the benchmark: 20 portraits and 3 whole bodies."""
    return [*portraits(), *bodies()]


def slug(shot: Shot) -> str:
    """What a file of this shot is called."""
    words = (shot.view, shot.expression) if shot.is_portrait else (shot.view, shot.pose)
    return "-".join(words).replace(" ", "-").lower()


def photo_pages(rng: random.Random) -> list[Page]:
    """Twelve photos in changing clothes before changing backgrounds."""
    pages = []
    for shot, count in PHOTOS:
        for number in range(1, count + 1):
            scene = Scene(shot, rng.choice(list(SHIRTS)), rng.choice(list(BACKGROUNDS)))
            pages.append(Page(f"photos/{slug(shot)}-{number}.png", scene))
    return pages


def write_character(seed: int, out: Path) -> None:
    """The whole folder; the same for the same seed."""
    person, rng = held_out(seed), random.Random(f"demo {seed}")
    name = NAMES[seed]
    photos = photo_pages(rng)
    book = [Page(f"book/{slug(shot)}.png", Scene(shot, *BOOK_SCENE)) for shot in cells()]
    strangers = list(stranger_pages(seed, rng))
    for page in photos:
        write_page(person, page, out, rng)
    for page in book:
        write_page(person, page, out, None)
    for stranger, page in strangers:
        write_page(stranger, page, out, rng)
    manifest = {
        "name": name,
        "instance_token": f"ohwx_{name.lower()}",
        "class_noun": "person",
        "photos": [page.facts() for page in photos],
        "book": [page.facts() for page in book],
        "retouches": [fact for page in photos for fact in write_retouches(person, page, out)],
        "strangers": [page.facts() for _, page in strangers],
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def stranger_pages(seed: int, rng: random.Random) -> Iterable[tuple[Identity, Page]]:
    """Other held-out people, seen as in an ordinary photo."""
    seeds = rng.sample([other for other in range(len(NAMES)) if other != seed], STRANGERS)
    for number, other in enumerate(seeds, start=1):
        scene = Scene(Shot(), rng.choice(list(SHIRTS)), rng.choice(list(BACKGROUNDS)))

        yield held_out(other), Page(f"strangers/front-neutral-{number}.png", scene)


def write_retouches(person: Identity, photo: Page, out: Path) -> Iterable[dict[str, str]]:
    """For every cell the photo as it would be, in its own clothes, before its own background."""
    stem = Path(photo.file).stem
    for shot in cells():
        scene = Scene(shot, photo.scene.shirt, photo.scene.background)
        page = Page(f"retouches/{stem}-as-{slug(shot)}.png", scene)
        write_page(person, page, out, None)
        facts = page.facts()
        yield {
            "file": page.file,
            "photo": photo.file,
            **{key: facts[key] for key in ("view", "expression", "pose")},
        }


def write_page(person: Identity, page: Page, out: Path, jitter: random.Random | None) -> None:
    path = out / page.file
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(person, page.scene, jitter=jitter).save(path)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which held-out person, 0 to 31")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    write_character(chosen.seed, chosen.out)


if __name__ == "__main__":
    main()
