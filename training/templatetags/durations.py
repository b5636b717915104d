"""Seconds and rates in the words that people use for them."""

from __future__ import annotations

from django import template

register = template.Library()

MINUTE, HOUR = 60, 3600


@register.filter
def duration(seconds: float | None) -> str:
    """`40 s`, `3 min 20 s`, `1 h 5 min`; empty where it is not known."""
    if seconds is None:
        return ""
    if 0 < seconds < 1:
        return "under 1 s"
    whole = max(round(seconds), 0)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


@register.filter
def pace(rate: float | None, unit: str) -> str:
    """`2.4 steps a second`, or `6.3 seconds a step` when it is slow. `unit` is in the singular."""
    if not rate:
        return ""
    if rate >= 1:
        return f"{rate:.1f} {unit}s a second"
    return f"{1 / rate:.1f} seconds a {unit}"


@register.filter
def percent(share: float | None) -> str:
    """A share of 0..1 as a whole percentage."""
    return "" if share is None else f"{100 * share:.0f} %"


@register.filter
def signed(gap: float, unit: str) -> str:
    """A difference with its sign: of shares in points, of cosines as they are."""
    return f"{gap:+.3f}" if unit == "cosine" else f"{100 * gap:+.0f}"
