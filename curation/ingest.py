"""How pictures come in: what people upload, whatever it is, and what machines made.

Files first, then the row: a crash leaves files without a row, which a sweep takes away, never a row
without files.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from curation.archives import LEFT_BY_FILE_MANAGERS, MAGIC, Archive, BadArchive
from curation.exposure import clipped
from curation.models import Image, Origin, ReviewItem, Subject, Verdict
from curation.opening import Busy, Facts, open_apart
from curation.previews import write_previews
from curation.provenance import png_bytes
from curation.shots import Shot
from curation.signals import photos_arrived
from curation.storage import publish, staging, write
from curation.trashing import take_from_trash

if TYPE_CHECKING:
    import PIL.Image
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile

logger = logging.getLogger(__name__)

MOST_BYTES = 400 * 1024**2
"""Of one picture file."""

FILES_AT_ONCE = 16
"""Decoded by one child process, and held on disk before they find their place."""


class Refused(Exception):
    """A sentence that names the file and says what is wrong with it."""


@dataclass
class Intake:
    """What became of an upload; `notes` are sentences about pictures that were taken.

    `unread` says why the rest was not looked at; empty where everything was.
    """

    images: list[Image] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: str = ""


@dataclass(frozen=True)
class Source:
    """One file of an upload. `label` names it in sentences, `name` is kept; neither is a path."""

    label: str
    name: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Opened:
    """A file that was read, in its folder."""

    source: Source
    sha256: str
    facts: Facts


def ingest_upload(
    subject: Subject, files: Iterable[UploadedFile[bytes]], by: User | None
) -> Intake:
    """Take every picture of an upload as a photo, also those in ZIPs; the rest is refused by name.

    A photo that the subject has already is taken out of the trash if it lies there.
    """
    intake = Intake()
    sources = _sources(files, intake.refused)
    try:
        while group := list(itertools.islice(sources, FILES_AT_ONCE)):
            _take_group(subject, group, intake, by)
    except Refused as busy:
        intake.unread = str(busy)
    logger.info(
        "%s: %s photos came in, %s refused, by %s",
        *(subject.slug, len(intake.images), len(intake.refused), by),
    )
    return intake


def _take_group(subject: Subject, group: Sequence[Source], intake: Intake, by: User | None) -> None:
    """Tell of each group at once: it is measured even where the rest of the upload breaks off."""
    num_before = len(intake.images)
    for opened in _open(group, intake.refused):
        _keep_photo(subject, opened, intake)
    if len(intake.images) > num_before:
        photos_arrived.send(Subject, subject=subject, by=by)


def ingest_retouch(item: ReviewItem, file: UploadedFile[bytes], by: User) -> Image:
    """Take a corrected file for a made picture: what the edit should have given.

    Raises:
        Refused: it cannot be read, or not now, or is what the editor made or began from.
    """
    made = item.image
    refused: list[str] = []
    opened = _open(_sources([file], refused), refused)
    if len(opened) != 1:
        raise Refused(" ".join(refused) or "Send one picture.")
    _refuse_uncorrected(opened[0], made, list(made.parents.all()))
    return keep_retouch(_row(made.subject, Origin.RETOUCHED, opened[0]), made, by=by)


def keep_retouch(wanted: Image, made: Image, *, by: User) -> Image:
    """Insert the row of what `made` should have been: it shows what `made` was to show.

    Raises:
        Refused: it was erased here.
    """
    wanted.depth = made.depth
    wanted.view, wanted.expression, wanted.pose = made.view, made.expression, made.pose
    wanted.clothes, wanted.background = made.clothes, made.background
    logger.info("%s: image %s retouched by %s", made.subject.slug, made.pk, by)
    kept = keep_row(wanted, [*made.parents.order_by("pk"), made])
    if kept.erased_at:
        raise Refused("That picture was erased here: consent for it was withdrawn.")
    take_from_trash(kept)
    return kept


def _refuse_uncorrected(opened: Opened, made: Image, parents: Sequence[Image]) -> None:
    """A picture that is its own correction would teach the editor to change nothing."""
    label = opened.source.label
    if opened.sha256 == made.sha256:
        raise Refused(f"{label} is what the editor made itself. Send the corrected picture.")
    if opened.sha256 in {parent.sha256 for parent in parents}:
        raise Refused(f"{label} is the picture before the edit. Send it as it should have become.")


def store_made(  # noqa: PLR0913 - the facts of a picture
    subject: Subject,
    picture: PIL.Image.Image,
    *,
    origin: Origin,
    shot: Shot | None,
    depth: int,
    provenance: dict[str, Any],
    clothes: str = "",
    background: str = "",
) -> Image:
    """Store the files of what a machine made; the row that comes back waits for `keep_row`."""
    data = png_bytes(picture, provenance)
    with staging() as folder:
        sha256 = write(folder / "original", [data])
        os.link(folder / "original", folder / "picture")
        write_previews(picture.convert("RGB"), folder)
        publish(folder, sha256)
    wanted = Image(
        subject=subject,
        sha256=sha256,
        origin=origin,
        width=picture.width,
        height=picture.height,
        clipped=clipped(picture),
        depth=depth,
        provenance=provenance,
        clothes=clothes,
        background=background,
    )
    if shot:
        wanted.view, wanted.expression, wanted.pose = shot.view, shot.expression, shot.pose
    return wanted


def keep_row(wanted: Image, parents: Sequence[Image] = ()) -> Image:
    """Insert `wanted` with its parents; where its equal is there already, give that one."""
    try:
        with transaction.atomic():
            wanted.save(force_insert=True)
            wanted.parents.set(parents)
    except IntegrityError:
        return Image.objects.get(subject=wanted.subject, sha256=wanted.sha256, origin=wanted.origin)
    return wanted


def _keep_photo(subject: Subject, opened: Opened, intake: Intake) -> None:
    label = opened.source.label
    if subject.images.filter(sha256=opened.sha256).exclude(origin=Origin.PHOTO).exists():
        intake.refused.append(f"{label} was made or retouched here: it is no photo of {subject}.")
        return
    wanted = _row(subject, Origin.PHOTO, opened)
    kept = keep_row(wanted)
    if kept.erased_at:
        intake.refused.append(f"{label} was erased here: consent for it was withdrawn.")
        return
    if kept is not wanted:
        intake.notes.append(f"{label} is here already.")
        take_from_trash(kept)
    elif opened.facts.note:
        intake.notes.append(f"{label} {opened.facts.note}")
    intake.images.append(kept)


def _row(subject: Subject, origin: Origin, opened: Opened) -> Image:
    return Image(
        subject=subject,
        sha256=opened.sha256,
        origin=origin,
        width=opened.facts.width,
        height=opened.facts.height,
        clipped=opened.facts.clipped,
        original_name=opened.source.name,
        verdict=Verdict.ACCEPTED,
    )


def _open(sources: Iterable[Source], refused: list[str]) -> list[Opened]:
    """Write each file to a folder of its own, decode it apart and publish what could be read.

    Raises:
        Refused: others' pictures are being opened just now.
    """
    with contextlib.ExitStack() as stack:
        written: list[tuple[Source, Path, str]] = []
        for source in sources:
            folder = stack.enter_context(staging())
            try:
                written.append((source, folder, write(folder / "original", source.chunks)))
            except BadArchive as error:
                refused.append(f"{source.label} {error}")
        opened = []
        try:
            all_facts = open_apart([folder for _, folder, _ in written])
        except Busy as busy:
            raise Refused("Another upload is being read. Send this again in a minute.") from busy
        for (source, folder, sha256), facts in zip(written, all_facts, strict=True):
            if facts.refused:
                refused.append(f"{source.label} {facts.refused}")
            else:
                publish(folder, sha256)
                opened.append(Opened(source, sha256, facts))
    return opened


def _sources(files: Iterable[UploadedFile[bytes]], refused: list[str]) -> Iterator[Source]:
    for file in files:
        name = _name(file.name or "")
        if name in LEFT_BY_FILE_MANAGERS:
            continue
        if _begins(file, MAGIC):
            yield from _entries(name, file, refused)
        elif file.size is not None and file.size > MOST_BYTES:
            refused.append(f"{name} is larger than 400 MB: export it smaller.")
        else:
            yield Source(name, name, file.chunks())


def _entries(archive_name: str, file: UploadedFile[bytes], refused: list[str]) -> Iterator[Source]:
    try:
        archive = Archive(file)
    except BadArchive as error:
        refused.append(f"{archive_name} {error}")
        return
    if not archive.entries:
        refused.append(f"{archive_name} holds no files.")
    for entry in archive.entries:
        name = _name(entry.filename)
        label = f"{name} in {archive_name}"
        if entry.file_size > MOST_BYTES:
            refused.append(f"{label} is larger than 400 MB: export it smaller.")
        else:
            yield Source(label, name, archive.read(entry))


def _begins(file: UploadedFile[bytes], magic: bytes) -> bool:
    file.seek(0)
    head: bytes = file.read(len(magic))
    file.seek(0)
    return head == magic


def _name(path: str) -> str:
    """The last part of a name from outside, of visible characters: a label, never a path."""
    last = PurePosixPath(path.replace("\\", "/")).name
    visible = "".join(letter for letter in last if letter.isprintable())
    return visible[:200] or "a file without a name"
