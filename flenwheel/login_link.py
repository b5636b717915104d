"""A link that logs one person in once, as Jupyter prints it.

The token names the person and their last login; using it moves that login on, so neither this
link nor an older one works again.
"""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

SALT = "flenwheel.login_link"
LIFETIME = dt.timedelta(minutes=30)


class Spent(Exception):
    """The link was used, has expired or was never ours."""


def login_path(user: User) -> str:
    seen = user.last_login.isoformat() if user.last_login else None
    return reverse("login_link", args=[signing.dumps({"user": user.pk, "seen": seen}, salt=SALT)])


def redeem(token: str) -> User:
    """Exchange a token for its user; of two that race with one token, one wins.

    Raises:
        Spent: the token is used, too old or forged.
    """
    try:
        claim = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature as bad:
        raise Spent from bad
    unused = User.objects.filter(pk=claim["user"], last_login=claim["seen"], is_active=True)
    if not unused.update(last_login=timezone.now()):
        raise Spent
    return User.objects.get(pk=claim["user"])


@require_GET
def login_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        user = redeem(token)
    except Spent:
        if not request.user.is_authenticated:
            messages.error(
                request,
                "This link was used before or is older than half an hour. "
                "Run `make up` again: it finds what is running and prints a fresh link.",
            )
        return redirect("home" if request.user.is_authenticated else "login")
    login(request, user)
    return redirect("home")
