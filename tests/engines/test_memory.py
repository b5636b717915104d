"""What happens when a GPU is full: torch's own error, raised where torch would raise it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from torch.overrides import TorchFunctionMode

from training.engines.base import EditRequest, GenerateRequest, OutOfMemory
from training.engines.flux import Generator
from training.engines.lora import hold_in
from training.engines.qwen import Editor


def full(*_: object) -> NoReturn:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class NoRoom(TorchFunctionMode):
    """Every tensor that is to move finds the device full."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "") == "to":
            full()
        return func(*args, **kwargs or {})


def test_drawing_on_a_full_gpu_says_what_to_close(flux_base: Path) -> None:
    generator = Generator.open(flux_base, "cpu")
    generator._pipeline.transformer.register_forward_pre_hook(full)
    with pytest.raises(OutOfMemory, match=r"ran out of memory while drawing.* Close what else"):
        generator.generate(GenerateRequest(prompt="a doll", seed=1))


def test_editing_on_a_full_gpu_says_so_too(qwen_base: Path, pictures: list[Path]) -> None:
    editor = Editor.open(qwen_base, "cpu")
    editor._pipeline.text_encoder.register_forward_pre_hook(full)
    with pytest.raises(OutOfMemory, match="ran out of memory while drawing"):
        editor.edit(EditRequest(images=(pictures[0],), instruction="smile", seed=1))


@pytest.mark.parametrize("kind", [Generator, Editor])
def test_loading_onto_a_full_gpu_names_the_weights(
    kind: type[Generator | Editor], flux_base: Path, qwen_base: Path
) -> None:
    base = flux_base if kind is Generator else qwen_base
    with NoRoom(), pytest.raises(OutOfMemory, match=r"ran out of memory while loading Tiny"):
        kind.open(base, "cpu")


def test_loras_are_held_in_the_base_s_number_format() -> None:
    torch.manual_seed(0)
    adapters = torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in ("one", "other")})
    model = torch.nn.ModuleDict({"lora_A": adapters})
    hold_in(torch.bfloat16, model, "one")
    formats = {name: weight.dtype for name, weight in model.named_parameters()}
    assert formats == {
        "lora_A.one.weight": torch.bfloat16, "lora_A.one.bias": torch.bfloat16,
        "lora_A.other.weight": torch.float32, "lora_A.other.bias": torch.float32,
    }  # fmt: skip
