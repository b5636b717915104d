"""Where a login leads after a session has ended: back to the page, not to what it asked for.

A page may have asked for a fragment of itself, or sent a form to an address that shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

Answer = Callable[[HttpRequest], HttpResponseBase]


def login_again(get_response: Answer) -> Answer:
    """Middleware. htmx follows a redirect by itself, so it is told to leave the page instead."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not _asks_to_log_in(response):
            return response
        if request.headers.get("HX-Request") == "true":
            return HttpResponseClientRedirect(_login(request, "HX-Current-URL"))
        if request.method not in ("GET", "HEAD"):
            return HttpResponseRedirect(_login(request, "Referer"))
        return response

    return answer


def _asks_to_log_in(response: HttpResponseBase) -> bool:
    """A logout leads to the login too, but without a page to come back to."""
    if not isinstance(response, HttpResponseRedirect):
        return False
    target = urlsplit(response.url)
    return target.path == reverse("login") and target.query.startswith("next=")


def _login(request: HttpRequest, header: str) -> str:
    """The login, leading on to the page that the header names if it is one of this site."""
    address = request.headers.get(header, "")
    if not url_has_allowed_host_and_scheme(address, request.get_host()):
        return reverse("login")
    page = urlsplit(address)
    whole = f"{page.path}?{page.query}" if page.query else page.path
    return f"{reverse('login')}?{urlencode({'next': whole})}"
