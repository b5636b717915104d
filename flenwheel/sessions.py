"""Django's sessions in the database and who is logged in, read by queries that are written once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from flenwheel.prepared import KEY, MOMENT, WORD, Prepared

_SESSION = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), WORD, MOMENT
)
_USER = Prepared(lambda key: User.objects.filter(pk=key), KEY)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        """As its parent: where there is none, or no more, the browser is given a new key."""
        found = _SESSION.first(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found


class Accounts(ModelBackend):
    def get_user(self, user_id: Any) -> User | None:
        user = _USER.first(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
