"""What curation tells whoever listens; it does not know who does."""

from __future__ import annotations

from django.dispatch import Signal

photos_arrived = Signal()
"""Sent with `subject` and `by` after new pictures of a subject came in, unmeasured."""
