"""Who may do what in a subject, and the links by which people are let in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from curation.models.link import Link, LinkQuerySet
from curation.models.review import Batch
from curation.models.subject import Subject

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Role(models.TextChoices):
    """What a member may do. Operators are Django's staff: they may do everything everywhere."""

    GUEST = "guest", "Guest: reviews one batch"
    REVIEWER = "reviewer", "Reviewer: looks at everything and decides"
    CURATOR = "curator", "Curator: also uploads, starts runs, freezes and invites"


RANK = {Role.GUEST: 0, Role.REVIEWER: 1, Role.CURATOR: 2}
"""Whoever has the higher one may do what the lower ones may."""


class Invitation(Link):
    """A link that lets people in.

    A guest needs no account, and loses what the link gave when it expires or is revoked; reviewers
    and curators stay members.
    """

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="invitations")
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    role = models.CharField(max_length=8, choices=Role)

    objects = LinkQuerySet["Invitation"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_guest_sees_one_batch",
                condition=models.Q(role="guest", batch__isnull=False)
                | models.Q(role__in=["reviewer", "curator"], batch=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.subject}"


class Membership(models.Model):
    """One person in one subject. A guest's goes with the invitation that gave it."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=8, choices=Role)
    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "user"], name="a_person_is_a_member_once_in_a_subject"
            ),
            models.CheckConstraint(
                name="membership_role_is_known", condition=models.Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="a_guest_was_invited",
                condition=~models.Q(role="guest") | models.Q(invitation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.subject}"


MEMBERS = models.Q(role__in=[Role.REVIEWER, Role.CURATOR])


def _open_to(batch: Any, now: dt.datetime | None = None) -> models.Q:
    """A guest's membership counts for the batch (a key, or a reference to one) of its invitation.

    The one place that ends a guest's rights: at the moment the link expires or is revoked.
    """
    return models.Q(
        invitation__batch=batch,
        invitation__revoked_at=None,
        invitation__expires_at__gt=now or timezone.now(),
    )


def may_review(user: User | AnonymousUser, batch: Any, now: dt.datetime | None = None) -> models.Q:
    """A condition on any rows: `user` reviews the batch, as a member of its subject or a guest."""
    if user.is_staff:
        return models.Q()
    seats = Membership.objects.filter(user=user.pk, subject__batches=batch)
    return models.Q(models.Exists(seats.filter(MEMBERS | _open_to(batch, now))))


def reviewable_by(user: User | AnonymousUser) -> models.QuerySet[Batch]:
    return Batch.objects.filter(may_review(user, models.OuterRef("pk")))


def reviews(user: User, batch: Batch, role: str | None) -> bool:
    """The same of one batch that is at hand, and of the user's role in its subject: a query for
    guests alone."""
    if user.is_staff or role != Role.GUEST:
        return user.is_staff or role is not None
    return Membership.objects.filter(_open_to(batch), user=user.pk).exists()
