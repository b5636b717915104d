"""What every page of a subject says about its review; knows nothing of the review page."""

from __future__ import annotations

from django import template

from curation.models import ReviewItem, Subject

register = template.Library()


@register.simple_tag
def waiting_count(subject: Subject) -> int:
    """Pictures of `subject` that wait for a person."""
    return ReviewItem.objects.waiting().filter(batch__subject=subject).count()
