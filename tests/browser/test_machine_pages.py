"""The pages from which machines are set to work, and their upkeep: by axe-core's rules of WCAG 2.2
AA, at a desk and in the hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page

from curation.models import Origin, Subject, Verdict
from curation.shots import Shot
from tests.browser.test_everybody_can_read import SIZES, violations
from tests.curation.cast import make_image, make_photos
from tests.training.cast import make_base, make_run
from tests.training.pages import make_finished_run, make_lora
from training.models import EditorLora, Family, RunItem, RunKind


@pytest.fixture
def paths(page: Page, subject: Subject, alice: User) -> list[str]:
    """What each page shows at its fullest."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    make_photos(subject)
    lora = make_lora(subject)
    base = make_base(Family.QWEN_EDIT, "qwen-edit")
    for name, purpose in (("Angles", "angle"), ("Fast", "speed")):
        facts = {"sha256": "0" * 64, "licence": "MIT", "purpose": purpose}
        EditorLora.objects.create(base=base, name=name, place=name, **facts)
    for number, names in enumerate(((), ("Angles",), ("Skin",))):
        recipe = {"loras": [{"name": name, "sha256": name, "purpose": "angle"} for name in names]}
        run = make_run(subject, RunKind.ENRICH, recipe=recipe)
        shot = Shot("left profile")
        facts = {"view": shot.view, "expression": shot.expression, "pose": shot.pose}
        facts |= {"origin": Origin.ENRICHED, "verdict": Verdict.ACCEPTED}
        RunItem.objects.create(
            run=run, ordinal=0, request={}, image=make_image(subject, 50 + number, **facts)
        )
    tried = make_finished_run(subject, RunKind.TRY, lora=lora, recipe={"strength": 1.0})
    RunItem.objects.create(run=tried, ordinal=0, request={"prompt": "Juno at sea", "seed": 1})
    of_subject = [reverse(name, args=[subject.slug]) for name in ("strategies", "enrich")]
    return [*of_subject, reverse("try_lora", args=[lora.pk]), reverse("disk"), reverse("setup")]


@pytest.mark.parametrize("size", SIZES)
def test_every_page_keeps_the_rules_and_fits(page: Page, paths: list[str], size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    broken, wide = {}, {}
    for path in paths:
        page.goto(path)
        if found := violations(page):
            broken[path] = found
        if (reached := page.evaluate("document.documentElement.scrollWidth")) > width:
            wide[path] = reached
    assert (broken, wide) == ({}, {})
