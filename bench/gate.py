"""`python -m bench.gate`: whether the gate refuses what it says, and how fast it judges anew.

Subjects are simulated as in identity_qwen's appendix: a picture is a unit vector of 512 numbers,
rho times the person plus noise, rho even in 0.55 to 0.90. It checks arithmetic, not real faces: see
bench.gate_dolls for pictures. The last rows write 10,000 pictures into a database of their own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

import numpy as np

SUBJECTS, TESTS, WIDTH = 1000, 50, 512
RHO = (0.55, 0.90)
STRANGERS, IMPOSTORS = 1000, 2000
ITEMS, PHOTOS = 10_000, 15

if __name__ == "__main__":
    _folder = TemporaryDirectory()
    os.environ["FLENWHEEL_VAR"] = _folder.name
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flenwheel.settings")
    import django

    django.setup()

from curation.calibrating import Labels, floors, from_labels, from_photos  # noqa: E402
from curation.certainty import rank_for, share_of  # noqa: E402
from curation.embeddings import Vectors, to_bytes, unit  # noqa: E402
from curation.likeness import SCORES, centroid  # noqa: E402

Random = np.random.Generator


def person(rng: Random) -> Vectors:
    return unit(rng.normal(size=WIDTH).astype(np.float32))


def pictures(who: Vectors, count: int, rng: Random, shift: float = 0.0) -> Vectors:
    """(count, WIDTH) of one person; `shift` is taken off every rho, as a model's likeness is less."""
    rho = rng.uniform(*RHO, size=(count, 1)) - shift
    noise = unit(rng.normal(size=(count, WIDTH)))
    return unit(rho * who + np.sqrt(1 - rho**2) * noise).astype(np.float32)


def angles(count: int) -> np.ndarray:
    return np.full(count, "front")


def refused(alpha: float, count: int) -> tuple[float, float]:
    """Shares of a person's own pictures below the gate's line, and below the naive one: the lowest
    of the photos' scores against a centre that they are part of."""
    rng = np.random.default_rng(count)
    below, naive = [], []
    for _ in range(SUBJECTS):
        who = person(rng)
        photos = pictures(who, count, rng)
        drawn = from_photos(photos, angles(count), dict.fromkeys(SCORES), alpha)
        scores = centroid(pictures(who, TESTS, rng), photos)
        below.append(np.mean(scores < drawn.lines["front"].green))
        naive.append(np.mean(scores < centroid(photos, photos).min()))
    return float(np.mean(below)), float(np.mean(naive))


def shifted(shift: float, alpha: float = 0.10, kept: int = 60) -> tuple[float, float]:
    """Shares of true pictures refused that are less alike by `shift`: by the photos' lines, and by
    those drawn from 60 that people kept and 20 that they did not."""
    rng = np.random.default_rng(int(1000 * shift))
    before, after = [], []
    for _ in range(SUBJECTS // 4):
        who = person(rng)
        photos = pictures(who, PHOTOS, rng)
        first = from_photos(photos, angles(PHOTOS), dict.fromkeys(SCORES), alpha)
        shown = np.concatenate([pictures(who, kept, rng, shift), pictures(person(rng), 20, rng)])
        labels = Labels(
            scores={name: measure(shown, photos).astype(float) for name, measure in SCORES.items()},
            angles=angles(len(shown)),
            is_accepted=np.arange(len(shown)) < kept,
            weights=np.ones(len(shown)),
        )
        drawn = from_labels(first, labels, alpha, 0.80)
        scores = centroid(pictures(who, TESTS, rng, shift), photos)
        known = drawn.scores[drawn.lines["front"].pool]
        before.append(np.mean(scores < first.lines["front"].green))
        after.append(np.mean(scores < known[rank_for(alpha, len(known)) - 1]))
    return float(np.mean(before)), float(np.mean(after))


def impostors() -> str:
    """Strangers who did not set the floor and reach it, of one subject and over a hundred."""
    rng = np.random.default_rng(0)
    passed = []
    for _ in range(100):
        who = person(rng)
        photos = pictures(who, PHOTOS, rng)
        floor = floors(crowd(STRANGERS, rng), photos)["centroid"]
        passed.append(int((centroid(crowd(IMPOSTORS, rng), photos) >= (floor or 1.0)).sum()))
    one, every = share_of(passed[0], IMPOSTORS), share_of(sum(passed), IMPOSTORS * len(passed))
    over = sum(hits > 0.01 * IMPOSTORS for hits in passed)
    return (
        f"one subject {100 * one.value:.2f} % ({100 * one.low:.2f}-{100 * one.high:.2f}); "
        f"100 subjects {100 * every.value:.2f} %, over 1 % in {over}"
    )


def crowd(count: int, rng: Random) -> Vectors:
    return unit(rng.normal(size=(count, WIDTH)).astype(np.float32))


def rows() -> Iterator[tuple[str, str]]:
    for alpha in (0.10, 0.20):
        for count in (10, 15, 20):
            goal = rank_for(alpha, count) / (count + 1)
            ours, naive = refused(alpha, count)
            yield (
                f"refused at alpha {alpha:.2f}, {count} photos",
                f"{100 * ours:.1f} % (goal {100 * goal:.1f}; naive {100 * naive:.0f})",
            )
    for shift in (0.05, 0.10, 0.15, 0.20):
        before, after = shifted(shift)
        yield (
            f"refused after a shift of {shift:.2f}",
            f"{100 * before:.0f} % by photos, {100 * after:.1f} % by 60 kept pictures (goal 10)",
        )
    yield "strangers that reach the floor", impostors()
    yield f"{ITEMS:,} pictures judged again", throughput()


def throughput() -> str:
    """Seconds from a new calibration to all opinions rewritten, in SQLite."""
    run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, cwd=ROOT)  # noqa: S603
    from curation.gatekeeping import Weights, keep_watch
    from curation.models import Batch, Image, Measurement, ReviewItem, Subject
    from curation.rescoring import rescore

    rng = np.random.default_rng(0)
    who = person(rng)
    juno = Subject.objects.create(name="Juno", slug="juno", instance_token="ohwx_juno")  # noqa: S106
    batch = Batch.objects.create(subject=juno, title="Many")
    shot = {"view": "front", "expression": "neutral", "pose": "portrait"}
    facts = {"subject": juno, "width": 96, "height": 96, **shot}
    made = [
        Image(sha256=f"{n:064x}", origin="enriched" if n else "photo", depth=int(n > 0), **facts)
        for n in range(ITEMS)
    ]
    del made[0]
    made += [Image(sha256=f"{'f' * 60}{n:04x}", origin="photo", **facts) for n in range(PHOTOS)]
    made += [Image(sha256=f"{'e' * 60}0000", origin="enriched", depth=1, **facts)]
    images = Image.objects.bulk_create(made, batch_size=1000)
    vectors = pictures(who, len(images), rng, 0.1)
    reading = {word: [said, 0.99] for word, said in shot.items()}
    Measurement.objects.bulk_create(
        [
            Measurement(
                image=image,
                backend_sha256="w",
                num_faces=1,
                yaw=float(rng.normal(0, 30)),
                embedding=to_bytes(vector),
                reading=reading,
                phash=f"{n:016x}",
                sharpness=1,
            )
            for n, (image, vector) in enumerate(zip(images, vectors, strict=True))
        ],
        batch_size=1000,
    )
    source = next(image for image in images if image.origin == "photo")
    ReviewItem.objects.bulk_create(
        [ReviewItem(batch=batch, image=i, source=source) for i in images if i.origin != "photo"],
        batch_size=1000,
    )
    took = time.perf_counter()
    watch = keep_watch(juno, Weights("bench", "w"), crowd(STRANGERS, rng))
    count = rescore(juno, watch)
    took = time.perf_counter() - took
    return f"{took:.2f} s for {count:,} (goal 2)"


ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    for name, told in rows():
        sys.stdout.write(f"{name:36} {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
