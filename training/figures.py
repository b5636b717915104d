"""The numbers a turn of the wheel is judged by, read off the rows it left."""

from __future__ import annotations

from statistics import mean
from typing import Any

from curation import gating
from curation.models import Subject
from training.benchmarking import judge_of
from training.card import card
from training.eyes import open_eyes
from training.making import installed
from training.models import Family

NAMES = {"base": "base", "photos only": "photos_only", "char_lora_v1": "v1", "char_lora_v2": "v2"}


def anchors(subject: Subject) -> dict[str, float]:
    """The ends of the identity scale: strangers, and the photos' own leave-one-out level."""
    lines = judge_of(subject, open_eyes(installed(Family.BENCH))).calibration
    bank = open_eyes(installed(Family.BENCH)).faces.strangers()
    strangers = [gating.likeness(stranger, lines.references) for stranger in bank]
    return {
        "stranger": mean(strangers),
        "photos": mean(gating.leave_one_out(lines.references)),
    }


def character_figures(subject: Subject) -> dict[str, dict[str, Any]]:
    """By version: `identity` (cosines), `card` (share of cells right), `cells` (0 or 1 a seed)."""
    found: dict[str, dict[str, Any]] = {"identity": dict(anchors(subject)), "card": {}, "cells": {}}
    for column in card(subject).columns:
        name = NAMES.get(column.title, column.title)
        level, right = column.identity, column.success
        found["identity"][name] = level.mean if level else None
        found["card"][name] = right.as_dict() if right else None
        found["cells"][name] = {str(shot): told for shot, told in column.successes.items()}
    return found
