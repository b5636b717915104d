"""Bring the database up to the code, keeping a copy of what was there before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone


def is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def back_up(folder: Path) -> Path | None:
    """Copy a SQLite database that holds something, also while it is in use; return the copy.

    None: it is empty, or on a server, whose own tools make the backups.
    """
    if connection.vendor != "sqlite" or not connection.introspection.table_names():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{timezone.now():%Y-%m-%d-%H%M%S}.sqlite3"
    connection.ensure_connection()
    target = sqlite3.connect(copy)
    try:
        connection.connection.backup(target)
    finally:
        target.close()
    return copy


def upgrade(backups: Path) -> Path | None:
    """Apply what is missing; return where the copy of the older database lies, if there was one."""
    if not is_behind():
        return None
    copy = back_up(backups)
    call_command("migrate", interactive=False, verbosity=0)
    return copy
