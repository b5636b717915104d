"""Teaches the tiny Qwen2.5-VL to read instructions, and reads them for the editor's training.

It learns what is asked for before the editor learns to draw it, and stays as it is from then on,
so that every instruction is read once. Knows nothing of pictures.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import QwenImageEditPlusPipeline
from torch import Tensor, nn
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from paperdolls.fitting import Schedule, device, fit, mixed_precision
from paperdolls.qwen_edits import edit_sets, random_edit
from paperdolls.qwen_pack import PREFIX_TOKENS, WIDTH, build_text_encoder, build_tokenizer
from paperdolls.qwen_words import ASKS, Request

SCHEDULE = Schedule(steps=400, rate=2e-3, weight_decay=0.0, average=0.98, save_every=200)
BATCH = 32
PEOPLE, REQUESTS = 4000, 20_000
SUFFIX = 5
"""Tokens after the instruction; they have read all of it and are asked what it said."""
PICTURE = "Picture 1: <|vision_start|><|image_pad|><|vision_end|>"


def template() -> str:
    """The pipeline's own words around picture and instruction."""
    return QwenImageEditPlusPipeline(None, None, None, None, None, None).prompt_template_encode


def asked(seed: int) -> list[Request]:
    """What people ask for, as often as they do: the same list for the same seed."""
    rng, sets = random.Random(f"requests {seed}"), edit_sets(PEOPLE, seed)
    return [random_edit(rng.choice(sets), rng).request for _ in range(REQUESTS)]


def tokenizer_of(requests: list[Request]) -> Qwen2Tokenizer:
    texts = sorted({request.text for request in requests})
    return build_tokenizer([*template().split("{}"), PICTURE, *texts])


class Reader:
    """Turns instructions into what the pipeline's `encode_prompt` makes of them and a picture.

    The vision tower is blind (`blind`), so the picture's one token is a zero vector: the same as
    the padding token's, which stands in for it here and spares the vision tower's work.
    """

    def __init__(
        self, model: Qwen2_5_VLForConditionalGeneration, tokenizer: Qwen2Tokenizer
    ) -> None:
        self.model = model.to(device())
        self.tokenizer = tokenizer
        self._read: dict[str, Tensor] = {}

    def encode(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Hidden states (n, length, WIDTH) of the whole template, and the mask (n, length)."""
        frame = template().replace("{}", PICTURE.replace("<|image_pad|>", "<|endoftext|>") + "{}")
        batch = self.tokenizer(
            [frame.format(text) for text in texts], padding=True, return_tensors="pt"
        ).to(device())
        states = self.model(**batch, output_hidden_states=True).hidden_states[-1]
        return states, batch["attention_mask"]

    @torch.no_grad()
    def __call__(self, text: str) -> Tensor:
        """What the editor is given for `text` (length, WIDTH), read at its first use."""
        if text not in self._read:
            states, _ = self.encode([text])
            self._read[text] = states[0, PREFIX_TOKENS:].float()
        return self._read[text]


def blind(model: Qwen2_5_VLForConditionalGeneration) -> None:
    """Let the vision tower see nothing: all about the source is in its latents."""
    last = model.model.visual.merger.mlp[-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


def train_text(
    requests: list[Request], checkpoint: Path, seed: int = 0
) -> tuple[Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer, float]:
    """A model that reads what `requests` ask for, its tokenizer and its recent loss."""
    torch.manual_seed(seed)
    tokenizer = tokenizer_of(requests)
    model = build_text_encoder(tokenizer)
    blind(model)
    model.model.visual.requires_grad_(False)
    reader = Reader(model, tokenizer)
    sizes = [len(words) + 1 for words in ASKS.values()]
    head = nn.Linear(WIDTH, sum(sizes)).to(device())

    def loss_at(step: int) -> Tensor:
        chosen = random.Random(f"{seed} {step}").choices(requests, k=BATCH)
        with mixed_precision():
            states, mask = reader.encode([request.text for request in chosen])
            answers = head(_last(states, mask)).float().split(sizes, dim=-1)
        asks = torch.tensor([request.asks for request in chosen], device=device())
        losses = [
            F.cross_entropy(answer.flatten(0, 1), asks[:, at].repeat_interleave(SUFFIX))
            for at, answer in enumerate(answers)
        ]
        return torch.stack(losses).sum()

    loss = fit(nn.ModuleList([model.model.language_model, head]), loss_at, SCHEDULE, checkpoint)
    return model, tokenizer, loss


def _last(states: Tensor, mask: Tensor) -> Tensor:
    """The states (n, SUFFIX, width) of the last tokens of each text, padded on the right."""
    ends = mask.sum(1, keepdim=True) - torch.arange(SUFFIX, 0, -1, device=mask.device)
    return states[torch.arange(len(states), device=mask.device)[:, None], ends]
