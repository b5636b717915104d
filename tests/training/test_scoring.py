from __future__ import annotations

import numpy as np
import pytest

from training.scoring import difference, interval, says


def test_the_mean_is_over_pictures_and_within_its_interval():
    found = interval({"a": [1, 1, 0, 1], "b": [0, 0, 1, 0]})
    assert found is not None
    assert found.mean == 0.5
    assert found.low < 0.5 < found.high


def test_cells_without_values_do_not_count():
    found = interval({"a": [1.0, 1.0], "b": []})
    assert found is not None
    assert (found.mean, found.low, found.high) == (1, 1, 1)


def test_no_values_have_no_interval():
    assert interval({"a": []}) is None


def test_a_short_cell_is_not_padded_with_zeros():
    found = interval({"a": [1.0] * 8, "b": [1.0]})
    assert found is not None
    assert found.low == 1


def test_pictures_of_one_cell_are_no_independent_evidence():
    spread = interval({i: [float(i % 2)] for i in range(40)})
    clustered = interval({i: [float(i % 2)] * 10 for i in range(4)})
    assert spread is not None
    assert clustered is not None
    assert clustered.high - clustered.low > spread.high - spread.low


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(150):
        levels = rng.normal(0.6, 0.1, 15)
        found = interval({i: list(rng.normal(level, 0.1, 4)) for i, level in enumerate(levels)})
        assert found is not None
        hits += found.low <= 0.6 <= found.high
    assert hits / 150 == pytest.approx(0.95, abs=0.05)


def test_the_same_scores_cannot_be_told_apart():
    scores = {i: [0.0, 1.0] for i in range(15)}
    assert says(difference(scores, scores)) == "cannot tell"


def test_a_clear_gain_is_called_better():
    gain = difference({i: [1.0, 1.0] for i in range(15)}, {i: [0.0, 1.0] for i in range(15)})
    assert says(gain) == "better"
