from __future__ import annotations

import pytest

from curation.models import Batch, Subject
from tests.curation.cast import make_item


@pytest.mark.parametrize(("score", "place"), [(0.2, 33), (0.6, 67), (0.4, 50), (1.0, 100)])
def test_a_score_stands_in_the_zone_the_gate_put_it(subject: Subject, score: float, place: int):
    item = make_item(subject)
    item.score = score
    item.batch.stranger_line, item.batch.own_line = 0.2, 0.6
    assert item.place_on_scale == place


def test_an_uncalibrated_batch_has_no_scale(subject: Subject):
    item = make_item(subject)
    item.score = 0.5
    assert Batch.objects.get().own_line is None
    assert item.place_on_scale is None
