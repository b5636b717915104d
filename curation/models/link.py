"""Addresses that are secrets: whoever has one is let in by it, for a while."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.utils import timezone

LinkT = TypeVar("LinkT", bound="Link")


class LinkQuerySet(models.QuerySet[LinkT]):
    def open(self) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def of_token(self, token: str) -> Self:
        """Found by its hash: how long that takes tells nothing about the token."""
        return self.filter(token_sha256=Link.hash_of(token))


class Link(models.Model):
    """Only the hash of the token is kept. What it opens, its kinds say."""

    note = models.CharField(max_length=80, blank=True, help_text="For whom it is.")
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @staticmethod
    def hash_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def with_token(cls, lasts: dt.timedelta, **fields: object) -> tuple[Self, str]:
        """Make one, and the token that is told once and never stored."""
        token = secrets.token_urlsafe(24)
        facts = {"token_sha256": cls.hash_of(token), "expires_at": timezone.now() + lasts}
        return cls._default_manager.create(**facts, **fields), token
