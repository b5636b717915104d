from __future__ import annotations

import statistics
from collections import Counter

import torch
from diffusers import FluxPipeline
from hypothesis import given
from hypothesis import strategies as st

from training.engines import flow
from training.engines.base import Recipe


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 50))
def test_batch_of_a_step_depends_on_seed_and_step_alone(
    examples: int, batch: int, step: int
) -> None:
    recipe, weights = Recipe(family="flux", batch_size=batch, seed=7), [1.0] * examples
    assert flow.picks(recipe, weights, step) == flow.picks(recipe, weights, step)


@given(st.lists(st.floats(0.1, 1.0), min_size=2, max_size=12))
def test_an_example_is_seen_as_often_as_its_weight_says_and_evenly(weights: list[float]) -> None:
    recipe = Recipe(family="flux", batch_size=100)
    for step in range(3):
        seen = Counter(pick.example for pick in flow.picks(recipe, weights, step))
        for example, weight in enumerate(weights):
            assert abs(seen[example] - 100 * weight / sum(weights)) < 5


def test_a_batch_shows_no_example_twice_where_there_are_enough() -> None:
    recipe = Recipe(family="flux", batch_size=4)
    for step in range(50):
        assert len({pick.example for pick in flow.picks(recipe, [1.0] * 12, step)}) == 4


def test_another_seed_gives_another_order_and_other_noise() -> None:
    one, other = (
        flow.picks(Recipe(family="flux", batch_size=8, seed=s), [1.0] * 8, 0) for s in (0, 1)
    )
    assert [p.example for p in one] != [p.example for p in other]
    assert not {p.noise_seed for p in one} & {p.noise_seed for p in other}


def test_noise_levels_are_logit_normal_about_the_recipe_s_mean() -> None:
    recipe = Recipe(family="flux", batch_size=2000, timestep_mean=1.0)
    sigmas = [pick.sigma for pick in flow.picks(recipe, [1.0] * 10, 0)]
    assert abs(statistics.median(sigmas) - 0.731) < 0.02
    assert 0 < min(sigmas) < max(sigmas) < 1


def test_captions_are_dropped_as_often_as_asked() -> None:
    recipe = Recipe(family="flux", batch_size=2000, caption_dropout=0.25)
    wordless = [pick.wordless for pick in flow.picks(recipe, [1.0] * 10, 0)]
    assert abs(statistics.mean(wordless) - 0.25) < 0.03


def test_path_runs_from_picture_to_noise() -> None:
    clean, noise = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    mixed = flow.noisy(clean, noise, torch.tensor([0.0, 1.0]))
    assert torch.equal(mixed, torch.stack([clean[0], noise[1]]))


def test_unpacking_undoes_packing() -> None:
    latents = torch.randn(2, 4, 6, 8)
    unpacked = FluxPipeline._unpack_latents(flow.pack(latents), 48, 64, vae_scale_factor=8)
    assert torch.equal(unpacked, latents)
