"""Print a link that logs somebody in once, within half an hour."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flenwheel.login_link import login_path


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", default="operator")
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="Where it answers.")

    def handle(self, *_args: Any, username: str, site: str, **_options: Any) -> None:
        try:
            user = User.objects.get(username=username, is_active=True)
        except User.DoesNotExist as missing:
            raise CommandError(
                f"Nobody is called {username} here. Add people in the admin site."
            ) from missing
        self.stdout.write(site + login_path(user))
