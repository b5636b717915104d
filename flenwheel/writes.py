"""Rows that are written often, by SQL that is written once, and together where the database can.

Over Postgres each statement is a round trip between processes that wait for a core, which takes
longer than to carry it out (docs/decisions/0039).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Write:
    """What writes one row; `new` is the row itself where it has no key yet."""

    sql: str
    params: list[Any]
    new: Model | None = None


class RowInsert:
    """Called with a new row it gives what writes it as `save(force_insert=True)` would; nothing
    listens."""

    def __init__(self, model: type[Model]) -> None:
        self._meta = model._meta
        self._fields = [f for f in self._meta.concrete_fields if not f.primary_key]

    def __call__(self, row: Model) -> Write:
        connection = connections[DEFAULT_DB_ALIAS]
        values = ((field, field.pre_save(row, add=True)) for field in self._fields)
        params = [field.get_db_prep_save(value, connection) for field, value in values]
        return Write(self._sql, params, new=row)

    @cached_property
    def _sql(self) -> str:
        quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self._fields)
        values = ", ".join(["%s"] * len(self._fields))
        into, key = quote(self._meta.db_table), quote(str(self._meta.pk.column))
        return f"INSERT INTO {into} ({columns}) VALUES ({values}) RETURNING {key}"  # noqa: S608 (names of ours)


class RowUpdate:
    """Called with a row's key and values by name it gives what writes them, as `update` on that row
    would."""

    def __init__(self, model: type[Model], *names: str) -> None:
        self._model = model
        self._fields = [f for f in model._meta.concrete_fields if f.name in names]

    def __call__(self, key: int, **values: object) -> Write:
        connection = connections[DEFAULT_DB_ALIAS]
        params = [
            field.get_db_prep_save(values[field.attname], connection) for field in self._fields
        ]
        return Write(self._sql, [*params, key])

    @cached_property
    def _sql(self) -> str:
        quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, self._model._meta
        key, *columns = (f"{quote(str(field.column))} = %s" for field in (meta.pk, *self._fields))
        return f"UPDATE {quote(meta.db_table)} SET {', '.join(columns)} WHERE {key}"  # noqa: S608 (names of ours)


def write(*writes: Write) -> None:
    """Write the rows, no two of them the same; new ones get their keys.

    Over Postgres it is one statement, of which no part sees what another wrote.

    Raises:
        IntegrityError: a row may not be. Some may have been written: call it in a transaction.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(writes) > 1:
            _together(cursor, writes)
        else:
            for one in writes:
                _alone(cursor, one)


def _alone(cursor: CursorWrapper, one: Write) -> None:
    cursor.execute(one.sql, one.params)
    if one.new:
        _keyed(one.new, *cursor.fetchone())


def _together(cursor: CursorWrapper, writes: Sequence[Write]) -> None:
    parts = ", ".join(f"w{place} AS ({one.sql})" for place, one in enumerate(writes))
    keys = ", ".join(f"(TABLE w{place})" for place, one in enumerate(writes) if one.new)
    cursor.execute(f"WITH {parts} SELECT {keys}", [each for one in writes for each in one.params])
    new = [one.new for one in writes if one.new]
    for row, key in zip(new, cursor.fetchone(), strict=True):
        _keyed(row, key)


def _keyed(row: Model, key: int) -> None:
    row.pk = key
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
