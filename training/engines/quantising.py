"""Hold base weights in 4 bits (NF4, Dettmers et al. 2023): QLoRA's frozen base.

On a GPU diffusers quantises while it loads; without one it refuses to, though bitsandbytes' layers
run there, so on the CPU the layers are replaced after loading.
"""

from __future__ import annotations

import torch
from bitsandbytes.nn.modules import Linear4bit, Params4bit
from diffusers import PipelineQuantizationConfig
from torch import nn

from training.engines.base import Family

LARGE_PARTS: dict[Family, tuple[str, ...]] = {
    "flux": ("transformer", "text_encoder_2"),
    "qwen-edit": ("transformer", "text_encoder"),
}
"""What makes the difference on a 24 GB card; FLUX's CLIP and the VAEs are small and stay."""


def nf4_config(family: Family, without: tuple[str, ...]) -> PipelineQuantizationConfig:
    """Quantise those of the family's large parts that are loaded, computing in bfloat16."""
    return PipelineQuantizationConfig(
        quant_backend="bitsandbytes_4bit",
        quant_kwargs={
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_compute_dtype": torch.bfloat16,
        },
        components_to_quantize=[part for part in LARGE_PARTS[family] if part not in without],
    )


def quantise_by_hand(transformer: nn.Module) -> None:
    """Replace every linear layer inside the transformer's blocks by its NF4 twin, in place."""
    layers = [
        (name, layer)
        for name, layer in transformer.named_modules()
        if isinstance(layer, nn.Linear) and "transformer_blocks" in name
    ]
    for name, layer in layers:
        owner, _, attribute = name.rpartition(".")
        setattr(transformer.get_submodule(owner), attribute, _nf4(layer))
    # PEFT picks its 4-bit LoRA layers by this mark.
    transformer.is_loaded_in_4bit = True  # type: ignore[assignment]


def _nf4(layer: nn.Linear) -> Linear4bit:
    quantised = Linear4bit(  # type: ignore[no-untyped-call]
        layer.in_features,
        layer.out_features,
        bias=layer.bias is not None,
        compute_dtype=layer.weight.dtype,
        quant_type="nf4",
    )
    quantised.weight = Params4bit(layer.weight.data, requires_grad=False, quant_type="nf4")
    if layer.bias is not None:
        quantised.bias = layer.bias
    return quantised.to(layer.weight.device)
