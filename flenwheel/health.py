"""Is it well? A word for everyone, figures for staff."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError, connection
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from kombu.exceptions import OperationalError

from flenwheel.celery import app
from training.models import Run
from training.models.run import RunStatus


def database_answers() -> bool:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    """Folders of the file-system broker stand, or the broker's server takes a connection."""
    if settings.CELERY_BROKER_URL == "filesystem://":
        return Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]).is_dir()
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except OperationalError:
        return False
    return True


def work() -> dict[str, Any]:
    """What waits and what runs; the last sign of life is null while nothing runs."""
    running = Run.objects.filter(status=RunStatus.RUNNING)
    return {
        "waiting": {
            "cpu": Run.objects.waiting(cpu=True).count(),
            "gpu": Run.objects.waiting(cpu=False).count(),
        },
        "running": running.count(),
        "silent": Run.objects.silent().count(),
        "last_heartbeat": running.aggregate(at=Max("heartbeat_at"))["at"],
    }


@never_cache
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    parts = {"database": database_answers(), "broker": broker_answers()}
    well = all(parts.values())
    answer: dict[str, Any] = {"status": "ok" if well else "unwell"}
    if parts["database"] and is_staff(request.user):
        answer |= parts | work()
    return JsonResponse(answer, status=200 if well else 503)


def is_staff(user: User | AnonymousUser) -> bool:
    return user.is_authenticated and user.is_staff
