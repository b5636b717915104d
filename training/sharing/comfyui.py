"""A cell as a ComfyUI workflow, in the API format, which ComfyUI opens and its server runs.

The nodes are those of ComfyUI itself, the file names those of its own FLUX.1-dev example. The
words, seed, steps, guidance, size and strength are the cell's, and `ModelSamplingFlux` shifts the
noise levels as diffusers does. The noise is not the same numbers: ComfyUI draws it in float32,
diffusers in the pipeline's format, so the picture is alike and not the same.
"""

from __future__ import annotations

from typing import Any

from training.sharing.shown import Drawing

MAX_SHIFT, BASE_SHIFT = 1.15, 0.5
"""As in FLUX.1-dev's scheduler_config.json."""

Link = list[str | int]
"""A node's name and the number of its output."""


def workflow(drawing: Drawing, lora_file: str) -> dict[str, dict[str, Any]]:
    """Node name -> class and inputs. `lora_file` lies in ComfyUI's models/loras."""
    return _loaders(drawing, lora_file) | {
        "words": _node("CLIPTextEncode", clip=_out("clip"), text=drawing.prompt),
        "guided": _node(
            "FluxGuidance", conditioning=_out("words"), guidance=float(drawing.guidance)
        ),
        "none": _node("ConditioningZeroOut", conditioning=_out("words")),
        "size": _node(
            "EmptySD3LatentImage", width=drawing.width, height=drawing.height, batch_size=1
        ),
        "sampled": _node(
            "KSampler",
            model=_out("shifted"),
            positive=_out("guided"),
            negative=_out("none"),
            latent_image=_out("size"),
            seed=drawing.seed,
            steps=drawing.steps,
            cfg=1.0,
            sampler_name="euler",
            scheduler="simple",
            denoise=1.0,
        ),
        "decoded": _node("VAEDecode", samples=_out("sampled"), vae=_out("vae")),
        "saved": _node("SaveImage", images=_out("decoded"), filename_prefix="flenwheel"),
    }


def _loaders(drawing: Drawing, lora_file: str) -> dict[str, dict[str, Any]]:
    return {
        "flux": _node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
        "clip": _node(
            "DualCLIPLoader",
            clip_name1="clip_l.safetensors",
            clip_name2="t5xxl_fp16.safetensors",
            type="flux",
        ),
        "vae": _node("VAELoader", vae_name="ae.safetensors"),
        "lora": _node(
            "LoraLoaderModelOnly",
            model=_out("flux"),
            lora_name=lora_file,
            strength_model=drawing.strength,
        ),
        "shifted": _node(
            "ModelSamplingFlux",
            model=_out("lora"),
            max_shift=MAX_SHIFT,
            base_shift=BASE_SHIFT,
            width=drawing.width,
            height=drawing.height,
        ),
    }


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def _out(name: str) -> Link:
    return [name, 0]
