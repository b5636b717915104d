"""Training resumes exactly, and its schedule can be lengthened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from paperdolls.fitting import Schedule, fit, load_average

SCHEDULE = Schedule(steps=12, rate=1e-2, warm_up=3, save_every=4)


def _net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


def _fit(path: Path, schedule: Schedule) -> torch.nn.Module:
    net = _net()

    def loss_at(step: int) -> torch.Tensor:
        x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
        loss: torch.Tensor = (net(x) - x.sum(dim=1, keepdim=True)).square().mean()
        return loss

    fit(net, loss_at, schedule, path)
    return net


def test_a_resumed_fit_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole = _fit(tmp_path / "whole.safetensors", replace(SCHEDULE, decay=0.0))
    _fit(tmp_path / "broken.safetensors", replace(SCHEDULE, steps=8, decay=0.0))
    resumed = _fit(tmp_path / "broken.safetensors", replace(SCHEDULE, decay=0.0))
    pairs = zip(whole.parameters(), resumed.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_finished_fit_is_taken_up_as_it_is(tmp_path: Path) -> None:
    done = _fit(tmp_path / "fit.safetensors", SCHEDULE)
    again = _net()
    load_average(again, tmp_path / "fit.safetensors")
    pairs = zip(done.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_the_rate_warms_up_stays_and_decays_to_nothing() -> None:
    schedule = Schedule(steps=1000, rate=1.0, warm_up=100, decay=0.5)
    assert schedule.rate_at(0) == 0.01
    assert schedule.rate_at(499) == 1.0
    assert schedule.rate_at(750) == 0.5
    assert schedule.rate_at(1000) == 0.0
