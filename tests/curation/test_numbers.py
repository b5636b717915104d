from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Choice, Decision, Gate, ReviewItem, Subject
from curation.reviewing.deciding import decide, record, undo_last
from curation.reviewing.numbers import Pace, pace, tables
from tests.curation.cast import make_item

LORA = [{"name": "char_lora_v1", "sha256": "0", "strength": 1.0}]


def look(item: ReviewItem, choice: Choice, by: User, seconds: float) -> None:
    record(Decision(item=item, author=by, choice=choice, seconds=seconds))


def test_minutes_are_everybodys_and_a_long_pause_is_no_work(subject: Subject, alice: User) -> None:
    items = [make_item(subject, number) for number in range(4)]
    look(items[0], Choice.ACCEPT, alice, 10)
    look(items[1], Choice.REJECT, alice, 20)
    look(items[2], Choice.ACCEPT, alice, 3000)
    found = pace(items[0].batch, waiting=1)
    assert found.minutes == pytest.approx(1.5)
    assert found.accepted_a_minute == pytest.approx(2 / 1.5)
    assert found.minutes_left == pytest.approx(20 / 60)
    undo_last(items[0].batch, by=alice)
    assert pace(items[0].batch, waiting=2).accepted_a_minute == pytest.approx(1 / 1.5)


def test_looks_that_took_no_time_tell_no_pace(subject: Subject, alice: User) -> None:
    item = make_item(subject)
    look(item, Choice.ACCEPT, alice, 0)
    assert pace(item.batch, waiting=1) == Pace(0.0, None, None)


def test_a_second_opinion_costs_minutes_and_accepts_nothing(
    subject: Subject, alice: User, bob: User
) -> None:
    item = make_item(subject)
    for author in (alice, bob):
        said = Decision(item=item, author=author, choice=Choice.ACCEPT, seconds=30)
        record(said, saw="pending")
    found = pace(item.batch, waiting=0)
    assert (found.minutes, found.accepted_a_minute) == (1.0, 1.0)


def test_acceptance_by_gate_view_lora_and_likeness(subject: Subject, alice: User) -> None:
    facts = {"view": "front", "expression": "sad", "pose": "portrait"}
    items = [make_item(subject, n, **facts, provenance={"loras": LORA}) for n in range(3)]
    ReviewItem.objects.update(gate=Gate.AMBER, score=0.42)
    decide(items[0], Choice.ACCEPT, by=alice)
    decide(items[1], Choice.REJECT, by=alice)
    found = {table.title: table.rows for table in tables(items[0].batch)}
    names = {title: [row.name for row in rows] for title, rows in found.items()}
    assert names["By the gate's opinion"] == ["Unsure"]
    assert names["By likeness to the photos"] == ["0.40 to 0.45"]
    assert (names["By view"], names["By LoRA"]) == (["front"], ["char_lora_v1"])
    assert {
        (row.decided, row.accepted, row.percent) for rows in found.values() for row in rows
    } == {(2, 1, 50)}


def test_what_was_judged_blind_tells_of_the_gate_once_more(
    subject: Subject, alice: User, bob: User
) -> None:
    items = [make_item(subject, number) for number in range(4)]
    ReviewItem.objects.update(gate=Gate.RED)
    for item, choice in zip(items, ["reject", "accept", "accept", "accept"], strict=True):
        record(Decision(item=item, author=alice, choice=choice, is_blind=item != items[0]))
    undo_last(items[0].batch, by=alice)
    decide(items[3], Choice.ACCEPT, by=alice)
    opinion = Decision(item=items[0], author=bob, choice=Choice.REJECT, is_blind=True)
    record(opinion, saw="pending")
    by_gate, blind, *_ = tables(items[0].batch)
    assert [(row.accepted, row.decided) for row in by_gate.rows] == [(3, 4)]
    assert [(row.accepted, row.decided) for row in blind.rows] == [(2, 2)]


def test_acceptance_by_recipe_where_there_are_several(subject: Subject, alice: User) -> None:
    usual = make_item(subject, 1, provenance={"prompt": "Smile."})
    decide(usual, Choice.ACCEPT, by=alice)
    assert not {table.title: table.rows for table in tables(usual.batch)}["By recipe"]
    facts = {"steps": 12, "true_cfg": 4.5, "background": "grey"}
    loras = [{**LORA[0], "strength": 0.8}]
    for number in (2, 3):
        item = make_item(subject, number, provenance={**facts, "loras": loras})
        decide(item, (Choice.ACCEPT, Choice.REJECT)[number % 2], by=alice)
    rows = {table.title: table.rows for table in tables(usual.batch)}["By recipe"]
    assert {(row.name, row.accepted, row.decided) for row in rows} == {
        ("as usual", 1, 1),
        ("12 steps, true CFG 4.5, LoRA at 0.8, grey background", 1, 2),
    }


def test_the_page_tells_them_and_outsiders_nothing(
    client: Client, subject: Subject, alice: User, charlie: User
) -> None:
    item = make_item(subject)
    look(item, Choice.ACCEPT, alice, 6)
    url = reverse("numbers", args=["juno", item.batch_id])
    client.force_login(alice)
    words = client.get(url).content.decode()
    assert "10.0" in words
    assert "100 %" in words
    client.force_login(charlie)
    assert client.get(url).status_code == 404
