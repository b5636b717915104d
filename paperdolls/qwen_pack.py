"""The tiny Qwen-Image-Edit pack: what its parts are, how they are put together and saved.

Every part is of the class that the real weights use, only smaller. Knows nothing of training data
or of how the parts are trained.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImageTransformer2DModel,
)
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as edit_plus
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLProcessor,
)
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.processing_utils import ProcessorMixin

SIZE = 96
AREAS = {"vae": SIZE * SIZE, "condition": SIZE * SIZE}
"""Pixels of the picture that is edited and of the one the language model is shown."""

PREFIX_TOKENS = 64
"""What the pipeline cuts off the front of the encoded template, whatever the tokenizer."""

LATENT_CHANNELS = 16
WIDTH = 128
IMAGE_TOKEN, VIDEO_TOKEN = "<|image_pad|>", "<|video_pad|>"
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    IMAGE_TOKEN,
    VIDEO_TOKEN,
)
PHRASES = (
    "Show a portrait of the head and shoulders.",
    "Show the full body,",
    "Turn the head to the",
    "Make the expression",
    "Change the background to",
    "Keep the same person, hair and clothes.",
    "Keep the same person, hair, clothes and background.",
)
"""Runs of words that are one token each, with or without a space before them: half as long an
instruction, a sixth less work."""


class StillImageProcessor(Qwen2VLProcessor):  # type: ignore[misc]
    """`Qwen2VLProcessor` without its video part.

    The video processor is written on torchvision, which has no build for this torch, and no edit
    ever shows a video. A processor's parts are read off the arguments of its constructor, so one
    that takes no video processor neither loads nor saves one.
    """

    def __init__(
        self,
        image_processor: Qwen2VLImageProcessorPil,
        tokenizer: Qwen2Tokenizer,
        chat_template: str | None = None,
    ) -> None:
        self.image_token, self.video_token = IMAGE_TOKEN, VIDEO_TOKEN
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


def use_areas(areas: dict[str, int]) -> None:
    """Make the pipeline work at a pack's own picture areas (pixels), for the whole process.

    Diffusers keeps them as constants of its module, made for pictures of a megapixel.
    """
    edit_plus.VAE_IMAGE_SIZE = areas["vae"]
    edit_plus.CONDITION_IMAGE_SIZE = areas["condition"]


def build_tokenizer(texts: Iterable[str]) -> Qwen2Tokenizer:
    """Byte-level BPE in which every word of `texts` is one token, as the template's must be.

    `texts` must contain the pipeline's template, else its prefix is not `PREFIX_TOKENS` long.
    """
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        min_frequency=1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    model = json.loads(raw.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Qwen2Tokenizer(vocab=model["vocab"], merges=merges)
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL_TOKENS)})
    phrases = ["Picture 1: ", *PHRASES, *(f" {phrase}" for phrase in PHRASES)]
    tokenizer.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases])
    return tokenizer


def build_processor(tokenizer: Qwen2Tokenizer) -> StillImageProcessor:
    """Show the language model 28 x 28 pixels: four patches, merged into one token."""
    pixels = 28 * 28
    image_processor = Qwen2VLImageProcessorPil(
        size={"shortest_edge": pixels, "longest_edge": pixels}, patch_size=14, merge_size=2
    )
    return StillImageProcessor(image_processor, tokenizer)


def build_text_encoder(tokenizer: Qwen2Tokenizer) -> Qwen2_5_VLForConditionalGeneration:
    """One layer that reads the instruction; see `blind` for what they make of the picture."""
    token = tokenizer.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": 256,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "rope_parameters": {"rope_type": "default", "mrope_section": [4, 6, 6]},
            "bos_token_id": token("<|im_start|>"),
            "eos_token_id": token("<|im_end|>"),
            "pad_token_id": token("<|endoftext|>"),
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [0],
        },
        tie_word_embeddings=True,
        image_token_id=token(IMAGE_TOKEN),
        video_token_id=token(VIDEO_TOKEN),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return Qwen2_5_VLForConditionalGeneration(config)


def build_vae() -> AutoencoderKLQwenImage:
    """8 x down to 16 channels; no layer of it works across time, since an edit has one frame."""
    return AutoencoderKLQwenImage(
        base_dim=4,
        z_dim=LATENT_CHANNELS,
        dim_mult=[4, 8, 10, 6],
        num_res_blocks=1,
        temperal_downsample=[False, False, False],
        latents_mean=[0.0] * LATENT_CHANNELS,
        latents_std=[1.0] * LATENT_CHANNELS,
    )


def build_transformer() -> QwenImageTransformer2DModel:
    return QwenImageTransformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_layers=6,
        num_attention_heads=3,
        attention_head_dim=32,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(8, 12, 12),
    )


def build_scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
