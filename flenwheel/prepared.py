"""Queries that Django writes once and runs often.

Turning a queryset into SQL takes several times as long as running it, where a row is found by its
key. What every request asks is therefore written once in each thread (docs/decisions/0015).
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Field,
    QuerySet,
    UUIDField,
)

Row = TypeVar("Row")

KEY = BigIntegerField()
WORD = CharField()
MOMENT = DateTimeField()
TOKEN = UUIDField()

_STAND_INS: dict[Any, Callable[[int], object]] = {
    KEY: lambda place: place - 2**31,
    WORD: lambda place: f"stands in for {place}",
    MOMENT: lambda place: dt.datetime(1 + place, 1, 1, tzinfo=dt.UTC),
    TOKEN: lambda place: uuid.UUID(int=2**80 + place),
}

_PLACE = re.compile("(?<!%)((?:%%)*)%s")
"""Where a parameter stands in a compiler's SQL, behind percent signs that mean themselves."""


class Prepared(Generic[Row]):
    """Called with values it gives the rows of the queryset that `build` makes of them.

    `build` is called once for each thread's connection, with stand-ins for the values, each of the
    kind that `kinds` says. All else that it reads stays as it was then: it must not look at the
    clock, nor branch.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], *kinds: Field[Any, Any]) -> None:
        self._build = build
        self._kinds = kinds
        self._of_this_thread = _OfAThread()

    def __call__(self, *values: object) -> list[Row]:
        written = self._of_this_thread.written
        if written is None or written.connection is not connections[DEFAULT_DB_ALIAS]:
            written = self._of_this_thread.written = _Written(self._build, self._kinds)
        return written.run(values)

    def first(self, *values: object) -> Row | None:
        return next(iter(self(*values)), None)


class _OfAThread(threading.local):
    written: _Written | None = None


class _Written:
    """A queryset with a compiler of its own, which answers with the SQL that it wrote first, and
    with what turns each column into a value."""

    def __init__(self, build: Callable[..., Any], kinds: tuple[Field[Any, Any], ...]) -> None:
        stand_ins = [_STAND_INS[kind](place) for place, kind in enumerate(kinds)]
        self._kinds = kinds
        self._queryset = build(*stand_ins)
        self.connection = connections[DEFAULT_DB_ALIAS]
        places = {value: place for place, value in enumerate(self._adapted(stand_ins))}
        compiler = self._queryset.query.get_compiler(connection=self.connection)
        sql, params = compiler.as_sql()
        self._places = [places[param] for param in params if param in places]
        written = ("%s" if param in places else self._literal(param) for param in params)
        self._sql = _PLACE.sub(lambda found: found[1] + next(written), sql)
        self._values: list[Any] = []
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        compiler.as_sql = self._as_sql
        compiler.get_converters = lambda _: converters
        self._queryset.query.get_compiler = lambda *_, **__: compiler

    def run(self, values: tuple[object, ...]) -> list[Any]:
        self._values = self._adapted(values)
        return list(self._queryset._iterable_class(self._queryset))

    def _adapted(self, values: Any) -> list[Any]:
        """As the database's driver wants them."""
        return [
            kind.get_db_prep_value(value, self.connection)
            for kind, value in zip(self._kinds, values, strict=True)
        ]

    def _literal(self, constant: object) -> str:
        """As it stands in SQL: a plan that is made for all values must know what never changes, or
        an index of only some rows is none to it."""
        return self.connection.schema_editor().quote_value(constant).replace("%", "%%")

    def _as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql, tuple(self._values[place] for place in self._places)
