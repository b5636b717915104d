"""What curation tells whoever listens; it does not know who does."""

from __future__ import annotations

from django.dispatch import Signal

consent_withdrawn = Signal()
"""Sent with `subject`, in the transaction that erases pictures of it."""

photos_arrived = Signal()
"""Sent with `subject` and `by` after new pictures of a subject came in, unmeasured."""
