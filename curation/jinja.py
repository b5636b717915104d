"""The desk's pictures are written by Jinja: a reviewer asks for them all day, and Django's own
templates take five times as long (docs/decisions/0035-the-desks-pictures-by-jinja.md)."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment

from curation.templatetags.reviewing import preview


def environment(**options: Any) -> Environment:
    """Escapes whatever it is told, as Django's backend asks for."""
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 (see above)
    made.filters |= {"preview": preview, "cosine": "{:.2f}".format}
    return made
