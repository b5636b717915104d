"""The login. Guessing a password is slow: a few tries for a name from one place, then a pause."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

TRIES = 5
"""Wrong passwords for one name from one address; each of the four web processes counts its own, so
that it takes 20 to shut all of them. Behind a proxy all come from one address: a name that somebody
guesses at pauses for everybody, one-time links do not."""
PAUSE = 15 * 60
"""Seconds until they are forgotten."""


class PatientForm(AuthenticationForm):
    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "That name and password do not match. Both are case-sensitive.",
        "too_many": "Those were too many tries. Wait a quarter of an hour, then try again; or ask "
        "an operator for a one-time link.",
    }

    def clean(self) -> dict[str, Any]:
        tries = self._counter()
        if cache.get(tries, 0) >= TRIES:
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            data = super().clean()
        except ValidationError:
            _count(tries)
            raise
        cache.delete(tries)
        return data

    def _counter(self) -> str:
        """The cache's key, which tells no name: names may be of any length and sign."""
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        name = self.cleaned_data.get("username", "").casefold()
        return "login:" + hashlib.sha256(f"{address} {name}".encode()).hexdigest()


def _count(tries: str) -> None:
    try:
        cache.incr(tries)
    except ValueError:  # The first, or the pause was over just now.
        cache.set(tries, 1, PAUSE)


class Login(LoginView):
    authentication_form = PatientForm
    redirect_authenticated_user = True


def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin's own login knows no pause. Whoever is logged in and sent here is no operator."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))
