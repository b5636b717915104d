"""The request that a view sees behind `login_required`, as the type checker should know it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class MemberRequest(HttpRequest):
    """Somebody is logged in."""

    user: User
    htmx: HtmxDetails
