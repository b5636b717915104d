"""The FLUX pack is a folder that the real FluxPipeline opens, and its words mean something."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from diffusers import FluxPipeline

from curation.shots import Shot, caption
from paperdolls.flux_album import TOKEN, picture_facts, token_weights
from paperdolls.flux_pack import assemble, export
from paperdolls.flux_text import T5_TOKENS, Words, random_caption
from paperdolls.flux_transformer import build_transformer
from paperdolls.flux_vae import SIZE, build_vae
from paperdolls.manifest import file_hashes
from paperdolls.people import Identity, held_out, training_identities
from paperdolls.world import Scene, truth

LONGEST = caption(
    "ohwx_juno person", Shot("three-quarter left", pose="standing"), "yellow shirt", "lavender"
)
SHIPPED = Path(__file__).parents[2] / "packs" / "flux"


@pytest.fixture(scope="module")
def words() -> Words:
    torch.manual_seed(0)
    return Words().eval()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    export(assemble(build_vae(), Words(), build_transformer()), folder, {"vae": 1.0}, {"steps": 0})
    return folder


@torch.no_grad()
def test_two_instance_tokens_are_two_different_prompts(words: Words) -> None:
    one, other = "photo of ohwx_juno person", "photo of ohwx_juna person"
    states, pooled = words([one, other])
    assert not torch.allclose(states[0], states[1], atol=1e-4)
    assert not torch.allclose(pooled[0], pooled[1], atol=1e-5)


def test_the_longest_caption_fits_both_tokenizers(words: Words) -> None:
    assert len(words.t5_tokenizer(LONGEST).input_ids) <= T5_TOKENS
    assert len(words.clip_tokenizer(LONGEST).input_ids) <= words.clip_tokenizer.model_max_length


@torch.no_grad()
def test_the_pooled_state_is_the_end_tokens(words: Words) -> None:
    tokens = words.clip_tokenizer(LONGEST, return_tensors="pt")
    answer = words.clip(tokens.input_ids)
    assert torch.equal(answer.pooler_output[0], answer.last_hidden_state[0, -1])


def test_captions_say_what_the_scene_shows_and_never_who() -> None:
    rng = random.Random(0)
    scene = Scene(Shot("left profile", "angry"), "red", "mint")
    for _ in range(50):
        prompt, asked = random_caption(scene, rng)
        assert "left profile view, angry expression" in prompt
        assert asked[3] in ("", "red")
        assert ("red shirt" in prompt) == (asked[3] == "red")


def test_tokens_over_the_face_weigh_more() -> None:
    facts = truth(held_out(0), Scene(Shot(), "red", "grey"))
    weights = token_weights(facts).reshape(SIZE // TOKEN, SIZE // TOKEN)
    assert weights.mean().item() == pytest.approx(1)
    assert weights[2, 2] > 2 * weights[0, 0]


def test_a_picture_of_the_album_depends_on_its_number_alone() -> None:
    people = training_identities(10, 0)
    assert picture_facts(7, people)[:2] == picture_facts(7, people)[:2]
    assert picture_facts(7, people)[1] != picture_facts(8, people)[1]


@torch.no_grad()
def test_the_real_pipeline_opens_an_exported_pack_and_draws(pack: Path) -> None:
    pipeline = FluxPipeline.from_pretrained(pack, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    facts = json.loads((pack / "pack.json").read_text())
    picture = pipeline(
        LONGEST,
        negative_prompt="",
        true_cfg_scale=2.0,
        height=facts["size"],
        width=facts["size"],
        num_inference_steps=2,
        guidance_scale=facts["guidance"],
        max_sequence_length=facts["max_sequence_length"],
    ).images[0]
    assert picture.size == (SIZE, SIZE)


def test_a_manifest_hashes_every_file_but_itself(pack: Path) -> None:
    facts = json.loads((pack / "pack.json").read_text())
    assert facts["files"] == file_hashes(pack)
    assert "transformer/diffusion_pytorch_model.safetensors" in facts["files"]


@pytest.mark.skipif(not SHIPPED.exists(), reason="packs/flux has not been built")
def test_the_shipped_pack_is_whole_small_and_knows_no_held_out_person() -> None:
    facts = json.loads((SHIPPED / "pack.json").read_text())
    assert facts["files"] == file_hashes(SHIPPED)
    assert sum(p.stat().st_size for p in SHIPPED.rglob("*") if p.is_file()) < 6.3e6
    people = [
        Identity.from_code(code) for code in (SHIPPED / facts["identities"]).read_text().split()
    ]
    reserved = [held_out(seed) for seed in range(32)]
    assert all(person.is_apart_from(reserved) for person in people)
