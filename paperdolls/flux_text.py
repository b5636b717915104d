"""The FLUX pack's words: captions, byte-level tokenizers, and two small text encoders.

The encoders learn to name what a caption asks for before anything is drawn, then stay as they
are: obedience is hard enough to learn from words that already mean something.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from curation.shots import EXPRESSIONS, POSES, VIEWS, Shot, caption
from paperdolls.fitting import Schedule, device, fit
from paperdolls.world import BACKGROUNDS, SHIRTS, Scene

CLIP_TOKENS = 48
T5_TOKENS = 28
"""Long enough for a caption with an instance token of twelve letters."""
CLIP_WIDTH = 64
T5_WIDTH = 128
SCHEDULE = Schedule(steps=500, rate=2e-3, warm_up=50)
BATCH = 64
SEED = 12

_LETTERS = string.ascii_lowercase + "_"
_ASKED: dict[str, tuple[str, ...]] = {
    "view": VIEWS,
    "expression": EXPRESSIONS,
    "pose": POSES,
    "shirt": ("", *SHIRTS),
    "background": ("", *BACKGROUNDS),
}


def random_person(rng: random.Random) -> str:
    """Mostly just "person", else with a token nobody has heard of, which must change nothing."""
    if rng.random() < 0.6:
        return "person"
    name = "".join(rng.choices(_LETTERS, k=rng.randint(3, 8)))
    return f"{rng.choice(('ohwx_', ''))}{name} person"


def random_caption(scene: Scene, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """What a prompt might say of `scene`, and the attributes it asks for, "" if it says none."""
    shirt = scene.shirt if rng.random() < 0.8 else ""
    background = scene.background if rng.random() < 0.8 else ""
    clothes = f"{shirt} shirt" if shirt else ""
    shot = scene.shot
    asked = (shot.view, shot.expression, shot.pose, shirt, background)
    return caption(random_person(rng), shot, clothes, background), asked


def _sentences() -> Iterator[str]:
    for view in VIEWS:
        for expression in EXPRESSIONS:
            for pose in POSES:
                shot = Shot(view, expression, pose)
                yield caption("person", shot)
                for shirt, background in zip(SHIRTS, BACKGROUNDS, strict=True):
                    yield caption("person", shot, f"{shirt} shirt", background)


def build_clip_tokenizer() -> CLIPTokenizer:
    """CLIP's own rules, with merges learnt from captions; every other word is spelt in bytes."""
    empty = CLIPTokenizer()
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learner.normalizer = empty.backend_tokenizer.normalizer
    learner.pre_tokenizer = empty.backend_tokenizer.pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=4096,
        min_frequency=2,
        special_tokens=["<|startoftext|>", "<|endoftext|>", *(f"{a}</w>" for a in alphabet)],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(_sentences(), trainer)
    return CLIPTokenizer(*_vocabulary(learner), model_max_length=CLIP_TOKENS)


def _vocabulary(tokenizer: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def build_t5_tokenizer() -> PreTrainedTokenizerFast:
    """Words with the commas that follow them, spelt in bytes where captions do not use them.

    Not T5's unigram pieces, which would make one unknown token of every instance token.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.Prepend(" ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" ?[^ ]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=4096,
        min_frequency=2,
        special_tokens=["<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sentences(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        model_max_length=T5_TOKENS,
    )


class Words(torch.nn.Module):
    """Both encoders with their tokenizers, and the heads that teach them what captions ask."""

    def __init__(self) -> None:
        super().__init__()
        self.clip_tokenizer, self.t5_tokenizer = build_clip_tokenizer(), build_t5_tokenizer()
        self.clip = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(self.clip_tokenizer),
                hidden_size=CLIP_WIDTH,
                intermediate_size=2 * CLIP_WIDTH,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=CLIP_TOKENS,
                # The pooled state is the first end token's only if the id is not 2, CLIP's old one.
                bos_token_id=self.clip_tokenizer.bos_token_id,
                eos_token_id=self.clip_tokenizer.eos_token_id,
                pad_token_id=self.clip_tokenizer.pad_token_id,
            )
        )
        self.t5 = T5EncoderModel(
            T5Config(
                vocab_size=len(self.t5_tokenizer),
                d_model=T5_WIDTH,
                d_kv=32,
                d_ff=2 * T5_WIDTH,
                num_layers=1,
                num_heads=4,
                dropout_rate=0.0,
            )
        )
        self.heads = torch.nn.ModuleDict(
            {
                f"{encoder}_{name}": torch.nn.Linear(width, len(words))
                for encoder, width in (("clip", CLIP_WIDTH), ("t5", T5_WIDTH))
                for name, words in _ASKED.items()
            }
        )

    def forward(self, prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """T5's states (batch x T5_TOKENS x T5_WIDTH) and CLIP's pooled state, as in FLUX."""
        long = self.t5_tokenizer(
            prompts,
            padding="max_length",
            max_length=T5_TOKENS,
            truncation=True,
            return_tensors="pt",
        )
        short = self.clip_tokenizer(
            prompts,
            padding="max_length",
            max_length=CLIP_TOKENS,
            truncation=True,
            return_tensors="pt",
        )
        states = self.t5(long.input_ids.to(device()))[0]
        return states, self.clip(short.input_ids.to(device())).pooler_output

    def naming_loss(self, prompts: list[str], asked: list[tuple[str, ...]]) -> torch.Tensor:
        """How badly either encoder tells what the prompts ask for."""
        states, pooled = self(prompts)
        seen = {"clip": pooled, "t5": states.mean(dim=1)}
        losses = []
        for index, (name, words) in enumerate(_ASKED.items()):
            targets = torch.tensor([words.index(a[index]) for a in asked], device=pooled.device)
            for encoder, vector in seen.items():
                logits = self.heads[f"{encoder}_{name}"](vector)
                losses.append(torch.nn.functional.cross_entropy(logits, targets))
        return torch.stack(losses).mean()


def train_words(work: Path, schedule: Schedule = SCHEDULE) -> tuple[Words, float]:
    """Train both encoders, or take them up, in `work`."""
    torch.manual_seed(SEED)
    words = Words().to(device())

    def loss_at(step: int) -> torch.Tensor:
        rng = random.Random(f"words {SEED} {step}")
        pairs = [random_caption(Scene.random(rng), rng) for _ in range(BATCH)]
        return words.naming_loss([p for p, _ in pairs], [a for _, a in pairs])

    loss = fit(words, loss_at, schedule, work / "flux-words.safetensors")
    return words.requires_grad_(False).eval(), loss
