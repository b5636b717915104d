"""The contact sheet: every picture of one version on one page, as PNG and PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby

import PIL.Image
from PIL import ImageDraw, ImageFont, ImageOps

from training.sharing.pictures import opened
from training.sharing.shown import ShownCell

SIDE, GAP, TEXT, HEAD, LABEL = 224, 16, 26, 96, 190
"""Pixels: of a picture, between them, of a line, of the heading and of the words beside a row."""
ROOM, INK, QUIET, PANEL = "#1c1c1c", "#f0f0f0", "#a3a3a3", "#2a2a2a"
ROWS, LEAST_WIDTH = 5, 900
DOTS_PER_INCH = 150.0


def contact_sheet(heading: str, under: str, cells: Sequence[ShownCell]) -> PIL.Image.Image:
    """Cells down, in columns of `ROWS`; seeds across, as the card has them."""
    rows = [(asked, list(group)) for asked, group in groupby(cells, key=lambda cell: cell.asked)]
    column = LABEL + max(len(group) for _, group in rows) * (SIDE + GAP) + GAP
    width = max(-(-len(rows) // ROWS) * column + GAP, LEAST_WIDTH)
    height = HEAD + min(len(rows), ROWS) * (SIDE + TEXT + GAP) + GAP
    sheet = PIL.Image.new("RGB", (width, height), ROOM)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP * 1.5, GAP), heading, INK, ImageFont.load_default(34))
    pen.text((GAP * 1.5, GAP + 44), under, QUIET, ImageFont.load_default(20))
    for place, (asked, group) in enumerate(rows):
        across, down = divmod(place, ROWS)
        corner = (GAP + across * column, HEAD + down * (SIDE + TEXT + GAP))
        _row(sheet, corner, asked, group)
    return sheet


def _row(
    sheet: PIL.Image.Image, corner: tuple[int, int], asked: str, cells: Sequence[ShownCell]
) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    start, top = corner
    for line, word in enumerate(asked.split(", ")):
        height = top + SIDE / 2 + (line - 1) * 24
        pen.text((start + 8, height), word, QUIET if line else INK, font)
    for place, cell in enumerate(cells):
        left = start + LABEL + place * (SIDE + GAP)
        pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), PANEL)
        picture = ImageOps.contain(opened(cell.sha256), (SIDE, SIDE))
        middle = ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2)
        sheet.paste(picture, (left + middle[0], top + middle[1]))
        pen.text((left, top + SIDE + 4), _under(cell), QUIET, ImageFont.load_default(15))


def _under(cell: ShownCell) -> str:
    likeness = "no face found" if cell.identity is None else f"likeness {cell.identity:.2f}"
    return f"seed {cell.drawing.seed} · {likeness}"


def as_png(sheet: PIL.Image.Image) -> bytes:
    return _saved(sheet, "PNG")


def as_pdf(sheet: PIL.Image.Image) -> bytes:
    """One page, as large as the sheet."""
    return _saved(sheet, "PDF", resolution=DOTS_PER_INCH)


def _saved(sheet: PIL.Image.Image, kind: str, **options: float) -> bytes:
    file = io.BytesIO()
    sheet.save(file, kind, **options)
    return file.getvalue()
