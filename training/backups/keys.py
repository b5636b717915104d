"""Under which keys the rows of a backup come in: their own, where this installation is empty.

Where it is not, a table's keys move up by the highest that is taken there. Rows of the installation
that stand here already (a user of that name, a base of that name) take the place of those that
came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max

from curation.models import Image, ReviewItem
from training.artifacts import highest_run_folder
from training.backups.reach import Keys, Table, foreign_keys
from training.backups.rows import Row, Unreadable
from training.models import BaseModel, LoraVersion, Run, RunItem


@dataclass
class NewKeys:
    """`came` are the keys in the backup: a row may name no other."""

    came: Keys
    twins: dict[tuple[Table, int], int] = field(default_factory=dict)
    shifts: dict[Table, int] = field(default_factory=dict)

    def of(self, table: Table, key: int) -> int:
        """Raises Unreadable: no such row came."""
        if key not in self.came.get(table, ()):
            raise Unreadable(f"{table._meta.label} {key}")
        if (table, key) in self.twins:
            return self.twins[table, key]
        return key + self._shift(table)

    def _shift(self, table: Table) -> int:
        if table not in self.shifts:
            highest = table._base_manager.aggregate(highest=Max("pk"))["highest"] or 0
            folders = highest_run_folder() if table is Run else 0
            self.shifts[table] = max(highest, folders)
        return self.shifts[table]

    def moved(self, table: Table, row: Row) -> Row:
        """The row with its key and every key that it names as they are here."""
        moved = row | {table._meta.pk.attname: self.of(table, row[table._meta.pk.attname])}
        for key in foreign_keys(table):
            target = key.related_model
            assert isinstance(target, type)
            if row[key.attname] is not None:
                moved[key.attname] = self.of(target, row[key.attname])
        return moved | self._within(table, row)

    def _within(self, table: Table, row: Row) -> Row:
        """Keys that stand in words: the three places where no foreign key says so."""
        if table is RunItem and "answer_to" in row["request"]:
            answered = self._one(ReviewItem, row["request"]["answer_to"])
            return {"request": row["request"] | {"answer_to": answered}}
        if table is Run and "avoided" in row["recipe"]:
            avoided = [self._one(Image, key) for key in row["recipe"]["avoided"]]
            return {"recipe": row["recipe"] | {"avoided": avoided}}
        if table is LoraVersion:
            _, _, name = row["file"].partition("/")
            return {"file": f"{self.of(Run, row['run_id'])}/{name}"}
        return {}

    def _one(self, table: Table, key: Any) -> Any:
        """What was named may have been deleted since."""
        return self.of(table, key) if key in self.came.get(table, ()) else key

    def recognise(self, table: Table, row: Row) -> bool:
        """Whether a row of the installation stands here already, known by what is unique in it."""
        facts = row | self.moved(table, row) if table is not User else row
        for unique in _unique(table):
            there = table._base_manager.filter(**{unique: facts[unique]}).first()
            if there is not None:
                self.twins[table, row[table._meta.pk.attname]] = there.pk
                return True
        return False


def _unique(table: Table) -> Iterable[str]:
    if table is User:
        return ["username"]
    return [
        field.attname
        for field in table._meta.concrete_fields
        if field.unique and not field.primary_key
    ]


def as_second(table: Table, row: Row) -> Row:
    """Which base is preferred is this installation's own choice, once it has one."""
    if table is not BaseModel or not row["preferred"]:
        return row
    others = BaseModel.objects.filter(family=row["family"], preferred=True)
    return row | {"preferred": not others.exists()}
