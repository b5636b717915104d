"""`manage.py restore juno.zip`: a subject back from its backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.backups.restoring import restore
from training.backups.unpacking import CannotRestore


class Command(BaseCommand):
    help = "Bring a subject back, with everything, where it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **_options: Any) -> None:
        try:
            with file.open("rb") as opened:
                subject = restore(opened)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except CannotRestore as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{subject} is back.")
