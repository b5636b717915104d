"""The login. Guessing a password is slow: a few tries for a name from one place, then a pause."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.core.exceptions import ValidationError

TRIES = 10
"""Wrong passwords for one name from one address; each web process counts its own."""
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
            cache.add(tries, 0, PAUSE)
            cache.incr(tries)
            raise
        cache.delete(tries)
        return data

    def _counter(self) -> str:
        """The cache's key, which tells no name: names may be of any length and sign."""
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        name = self.cleaned_data.get("username", "").casefold()
        return "login:" + hashlib.sha256(f"{address} {name}".encode()).hexdigest()


class Login(LoginView):
    authentication_form = PatientForm
    redirect_authenticated_user = True
