"""Which layers the real quantisers take on a GPU, asked of tiny models without weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from diffusers import FluxTransformer2DModel, ModelMixin, QwenImageTransformer2DModel
from diffusers.quantizers import DiffusersAutoQuantizer
from torch import nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.quantizers import AutoHfQuantizer

from training.engines.base import Family
from training.engines.families import FAMILIES
from training.engines.packs import open_pack
from training.engines.quantising import nf4_config


def layers_in_16_bits(model: nn.Module) -> set[str]:
    linears = {name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    taken = {name for name, layer in model.named_modules() if isinstance(layer, Linear4bit)}
    assert taken
    return linears - taken


def quantised_transformer(kind: type[ModelMixin], folder: Path, family: Family) -> nn.Module:
    with torch.device("meta"):
        model = kind.from_config(kind.load_config(folder / "transformer"), num_layers=12)
    config = nf4_config(family, ()).quant_mapping["transformer"]
    quantizer = DiffusersAutoQuantizer.from_config(config)
    quantizer._process_model_before_weight_loading(model, device_map=None)
    return model


def test_qwen_transformer_keeps_its_ends_and_first_picture_modulation_in_16_bits(
    qwen_base: Path,
) -> None:
    model = quantised_transformer(QwenImageTransformer2DModel, qwen_base, "qwen-edit")
    assert layers_in_16_bits(model) == {
        "img_in",
        "txt_in",
        "time_text_embed.timestep_embedder.linear_1",
        "time_text_embed.timestep_embedder.linear_2",
        "transformer_blocks.0.img_mod.1",
        "norm_out.linear",
        "proj_out",
    }


def test_flux_transformer_is_held_in_4_bits_to_the_last_single_block(flux_base: Path) -> None:
    model = quantised_transformer(FluxTransformer2DModel, flux_base, "flux")
    assert isinstance(model.get_submodule("single_transformer_blocks.0.proj_out"), Linear4bit)


def test_language_model_sees_pictures_in_16_bits(qwen_base: Path) -> None:
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig.from_pretrained(qwen_base / "text_encoder")
        )
    config = nf4_config("qwen-edit", ()).quant_mapping["text_encoder"]
    quantizer = AutoHfQuantizer.from_config(config)
    quantizer._process_model_before_weight_loading(model, device_map=None)
    spared = layers_in_16_bits(model)
    seeing = {name for name in spared if name.startswith("model.visual.")}
    assert seeing
    assert spared == seeing


def test_flux_text_encoders_stay_whole_in_training_and_in_drawing() -> None:
    assert nf4_config("flux", ("transformer",)) is None
    assert set(nf4_config("flux", ()).quant_mapping) == {"transformer"}


@pytest.mark.parametrize("without", [("transformer",), ()])
def test_qwen_language_model_is_held_alike_in_training_and_in_drawing(
    without: tuple[str, ...],
) -> None:
    config = nf4_config("qwen-edit", without).quant_mapping["text_encoder"]
    assert config.llm_int8_skip_modules == ["model.visual"]


def test_without_a_gpu_the_blocks_are_held_in_4_bits_as_on_one(base: Path, family: Family) -> None:
    transformer = FAMILIES[family].denoiser(open_pack(base), torch.device("cpu"), "nf4").transformer
    in_blocks = {name for name in layers_in_16_bits(transformer) if "blocks" in name}
    assert in_blocks == ({"transformer_blocks.0.img_mod.1"} if family == "qwen-edit" else set())
