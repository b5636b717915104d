"""Hold base weights in 4 bits (NF4, Dettmers et al. 2023): QLoRA's frozen base.

On a GPU diffusers quantises while it loads; without one it refuses to, though bitsandbytes' layers
run there, so on the CPU the layers are replaced after loading.
"""

from __future__ import annotations

import torch
from bitsandbytes.nn.modules import Linear4bit, Params4bit
from diffusers import BitsAndBytesConfig as DiffusersConfig
from diffusers import PipelineQuantizationConfig
from torch import nn
from transformers import BitsAndBytesConfig as TransformersConfig

from training.engines.base import Family

SPARED: dict[Family, dict[str, tuple[str, ...]]] = {
    "flux": {"transformer": ()},
    "qwen-edit": {
        "transformer": (
            "transformer_blocks.0.img_mod",
            "time_text_embed",
            "img_in",
            "txt_in",
            "norm_out",
            "proj_out",
        ),
        "text_encoder": ("model.visual",),
    },
}
"""The parts held in 4 bits, and which of their modules are not: see docs/decisions/0007.

diffusers spares every module whose own name is listed, wherever it stands: `proj_out` would spare
the largest layer of each single block of FLUX.
"""


def nf4_config(family: Family, without: tuple[str, ...]) -> PipelineQuantizationConfig | None:
    """Quantise those of the family's large parts that are loaded, computing in bfloat16."""
    mapping = {
        part: (DiffusersConfig if part == "transformer" else TransformersConfig)(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=torch.bfloat16,
            llm_int8_skip_modules=list(spared),
        )
        for part, spared in SPARED[family].items()
        if part not in without
    }
    return PipelineQuantizationConfig(quant_mapping=mapping) if mapping else None


def quantise_by_hand(family: Family, transformer: nn.Module) -> None:
    """Replace the linear layers inside the transformer's blocks by their NF4 twins, in place."""
    layers = [
        (name, layer)
        for name, layer in transformer.named_modules()
        if isinstance(layer, nn.Linear)
        and "transformer_blocks" in name
        and not name.startswith(SPARED[family]["transformer"])
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
