"""Muon: momentum made orthogonal for the matrices and kernels of a network, Adam for the rest.

Learns in fewer steps than Adam alone (Jordan 2024, https://kellerjordan.github.io/posts/muon;
scaled as in Liu et al. 2025, arXiv:2502.16982, so that Adam's learning rates hold).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
BETAS = (0.9, 0.98)
SCALE = 0.2
"""Root mean square of an update of rate 1, about that of Adam's."""
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Every matrix and kernel of the `blocks` gets Muon; vectors and what is outside get Adam."""

    def __init__(self, module: nn.Module, blocks: nn.Module, rate: float) -> None:
        matrices = [p for p in blocks.parameters() if p.ndim >= 2 and p[0].numel() > 1]
        chosen = {id(p) for p in matrices}
        rest = [p for p in module.parameters() if id(p) not in chosen]
        groups = [{"params": matrices, "orthogonal": True}, {"params": rest, "orthogonal": False}]
        super().__init__(groups, {"lr": rate})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        assert closure is None, "the loss is not evaluated again"
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            updates = self._orthogonal if group["orthogonal"] else self._adam
            for parameter, update in updates(parameters):
                parameter.add_(update.to(parameter.dtype), alpha=-group["lr"])

    def _orthogonal(self, parameters: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for parameter in parameters:
            alike[parameter.shape].append(parameter)
        for shape, group in alike.items():
            gradients = torch.stack([self._with_momentum(p).flatten(1) for p in group])
            scale = SCALE * max(gradients.shape[1:]) ** 0.5
            updates = orthogonal(gradients).view(len(group), *shape) * scale
            yield from zip(group, updates, strict=True)

    def _with_momentum(self, parameter: Tensor) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(state["momentum"], MOMENTUM)

    def _adam(self, parameters: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        for parameter in parameters:
            state, gradient = self.state[parameter], parameter.grad
            assert gradient is not None
            if not state:
                state["step"] = torch.zeros(())
                state["mean"] = torch.zeros_like(parameter)
                state["square"] = torch.zeros_like(parameter)
            state["step"] += 1
            state["mean"].lerp_(gradient, 1 - BETAS[0])
            state["square"].lerp_(gradient**2, 1 - BETAS[1])
            step = state["step"].item()
            mean = state["mean"] / (1 - BETAS[0] ** step)
            yield parameter, mean / ((state["square"] / (1 - BETAS[1] ** step)).sqrt() + 1e-8)


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices (n, rows, columns), by five Newton-Schulz steps."""
    x = matrices.bfloat16()
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if is_tall else x).float()
