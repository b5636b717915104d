"""Which rows are a subject's, and which others they name: read off the models, not listed here.

A row is the subject's that names it, or that would go with a row of the subject's (CASCADE). So a
model that is added is backed up without a word here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import CASCADE, ForeignKey, Model, QuerySet

from curation.models import Invitation, Membership, Subject
from training.models import CardLink

OWN_APPS = ("curation", "training")
STAYS = (Invitation, Membership, CardLink)
"""Who may come in."""
AT_ONCE = 500
Table = type[Model]
Keys = dict[Table, set[int]]


def tables() -> list[Table]:
    """Every model of ours, what others name first; through-tables of many-to-many fields too."""
    own = [table for app in OWN_APPS for table in apps.get_app_config(app).get_models()]
    through = (field.remote_field.through for table in own for field in table._meta.many_to_many)
    automatic = [table for table in through if table and table._meta.auto_created]
    return [*(table for table in own if table not in STAYS), *automatic]


@cache
def paths() -> dict[Table, str]:
    """Table -> the lookup that leads from its rows to their subject, the shortest one."""
    found: dict[Table, str] = {Subject: "pk"}
    waiting: list[Table] = [Subject]
    while waiting:
        owner = waiting.pop(0)
        for table in tables():
            names = [key.name for key in foreign_keys(table) if _goes_with(key, owner)]
            if names and table not in found:
                found[table] = names[0] if owner is Subject else f"{names[0]}__{found[owner]}"
                waiting.append(table)
    return found


def foreign_keys(table: Table) -> list[ForeignKey[Model, Model]]:
    return [field for field in table._meta.concrete_fields if isinstance(field, ForeignKey)]


def _goes_with(key: ForeignKey[Model, Model], owner: Table) -> bool:
    is_its = key.remote_field.on_delete is CASCADE or owner is Subject
    return key.related_model is owner and is_its


def rows_of(subject: Subject, table: Table) -> QuerySet[Model]:
    """The subject's own rows of a table that has any."""
    return table._base_manager.filter(**{paths()[table]: subject.pk}).order_by("pk")


def beside(subject: Subject) -> Keys:
    """Keys of the rows that the subject's rows name and that are not its own, whole."""
    found: Keys = defaultdict(set)
    own = {table: set(rows_of(subject, table).values_list("pk", flat=True)) for table in paths()}
    named = list(_named(rows_of(subject, table) for table in paths()))
    while named:
        fresh: Keys = defaultdict(set)
        for table, key in named:
            if key not in own.get(table, ()) and key not in found[table]:
                fresh[table].add(key)
        for table, keys in fresh.items():
            found[table] |= keys
        named = [*_named(_of_keys(fresh)), *_belonging(fresh)]
    assert not found.pop(Subject, None), "rows of a subject name another subject's"
    return found


def _named(groups: Iterable[QuerySet[Model]]) -> Iterator[tuple[Table, int]]:
    """(table, key) of whatever these rows name."""
    for rows in groups:
        for key in foreign_keys(rows.model):
            target = key.related_model
            assert isinstance(target, type)
            there = rows.exclude(**{key.name: None}).order_by().values_list(key.attname, flat=True)
            yield from ((target, value) for value in there.distinct())


def _belonging(keys: Keys) -> Iterator[tuple[Table, int]]:
    """What would go with such a row and is no subject's comes with it, so that it is whole."""
    for table in set(tables()) - paths().keys():
        for key in foreign_keys(table):
            target = key.related_model
            if key.remote_field.on_delete is CASCADE and target is not User and target in keys:
                its = table._base_manager.filter(**{f"{key.attname}__in": keys[target]})
                yield from ((table, pk) for pk in its.values_list("pk", flat=True))


def _of_keys(keys: Keys) -> Iterator[QuerySet[Model]]:
    """Users name nobody whom a backup tells of."""
    for table, wanted in keys.items():
        if table is not User:
            yield from by_keys(table, wanted)


def by_keys(table: Table, keys: Iterable[int]) -> Iterator[QuerySet[Model]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), AT_ONCE):
        yield table._base_manager.filter(pk__in=ordered[start : start + AT_ONCE]).order_by("pk")
