"""The request that a view sees behind `login_required`, as the type checker should know it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.middleware import HtmxDetails


class MemberRequest(HttpRequest):
    """Somebody is logged in."""

    user: User
    htmx: HtmxDetails


def row_keys(said: Iterable[str]) -> list[int]:
    """The keys of rows among what was sent. A number that no row can have is none."""
    return [int(key) for key in said if re.fullmatch("[0-9]{1,18}", key)]


P = ParamSpec("P")
View = Callable[Concatenate[MemberRequest, P], HttpResponse]

AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])

LATELY = 1.0
"""Seconds for which whoever was logged in still counts as being so, if not asked anew."""


def known_lately(view: AnyView) -> AnyView:
    """For what one tab asks many times a second: session and user are read once a second, a third
    of a decision's statements. Around `login_required` (docs/decisions/0036)."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        session = request.session.session_key or ""
        key = "known-" + sha256(session.encode()).hexdigest()
        user = cache.get(key)
        if user is not None:
            request.user = user
        elif session and request.user.is_authenticated:
            cache.set(key, request.user, LATELY)
        return view(request, *args, **kwargs)

    return cast(AnyView, answer)


def signed(view: View[P]) -> View[P]:
    """A page outlives its login: what it sends after somebody else logged in is not signed by
    them, but refused (409) and kept in the browser. The page's script says whose it is."""

    @wraps(view)
    def answer(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.headers.get("X-User") not in (None, str(request.user.pk)):
            return HttpResponse("Somebody else is logged in.", status=409)
        return view(request, *args, **kwargs)

    return answer
