"""The tiny Qwen-Image-Edit pack: its parts fit the real pipeline, and its training is sound."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from diffusers import QwenImageEditPlusPipeline
from PIL import Image

from curation.shots import Shot, instruction
from paperdolls import qwen, qwen_edits
from paperdolls.manifest import IDENTITIES, MANIFEST, file_hashes
from paperdolls.muon import orthogonal
from paperdolls.people import HELD_OUT, Identity, held_out
from paperdolls.qwen_editor import batches, flow_loss, start_still
from paperdolls.qwen_edits import Edits, EditSet, edit_sets
from paperdolls.qwen_pack import (
    PREFIX_TOKENS,
    SIZE,
    StillImageProcessor,
    build_text_encoder,
    build_transformer,
    build_vae,
    use_areas,
)
from paperdolls.qwen_text import Reader, blind, template, tokenizer_of
from paperdolls.qwen_vae import decode, encode, face_weights, still
from paperdolls.qwen_words import ASKS, UNSAID, Request, request
from paperdolls.world import Scene

SMILE = instruction(Shot(expression="smiling"), Shot())
SAD_PROFILE = instruction(Shot("left profile", "sad"))


@pytest.fixture(scope="module")
def parts() -> qwen.Parts:
    """Untrained parts, whose tokenizer knows the product's words."""
    torch.manual_seed(0)
    tokenizer = tokenizer_of([Request(text, (0, 0, 0, 0)) for text in (SMILE, SAD_PROFILE)])
    text_encoder = build_text_encoder(tokenizer).eval()
    blind(text_encoder)
    return qwen.Parts(build_vae(), text_encoder, tokenizer, build_transformer(), {})


@pytest.fixture(scope="module")
def folder(parts: qwen.Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("qwen-edit")
    qwen.export(parts, qwen.Plan(out, out, sets=2))
    return out


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> QwenImageEditPlusPipeline:
    opened = QwenImageEditPlusPipeline.from_pretrained(
        folder,
        processor=StillImageProcessor.from_pretrained(folder / "processor"),
        dtype=torch.float32,
    )
    opened.set_progress_bar_config(disable=True)
    use_areas(qwen.AREAS)
    return opened


def test_the_template_before_the_instruction_is_exactly_what_the_pipeline_cuts_off(
    parts: qwen.Parts,
) -> None:
    prefix = template().split("{}")[0]
    assert len(parts.tokenizer(prefix).input_ids) == PREFIX_TOKENS


def test_nothing_of_the_instruction_is_cut_off_with_the_template(parts: qwen.Parts) -> None:
    ids = parts.tokenizer(template().format(SMILE)).input_ids[PREFIX_TOKENS:]
    assert parts.tokenizer.decode(ids).startswith(SMILE)


def test_two_instructions_give_different_embeddings(pipeline: QwenImageEditPlusPipeline) -> None:
    picture = Image.new("RGB", (SIZE, SIZE), "teal")
    first, _ = pipeline.encode_prompt("make her smile", [picture])
    second, _ = pipeline.encode_prompt("make her angry", [picture])
    assert not torch.allclose(first[:, : second.shape[1]], second[:, : first.shape[1]])


def test_what_the_reader_reads_is_what_the_pipeline_reads(
    pipeline: QwenImageEditPlusPipeline,
) -> None:
    picture = Image.new("RGB", (SIZE, SIZE), "teal")
    expected, _ = pipeline.encode_prompt(SAD_PROFILE, [picture])
    read = Reader(pipeline.text_encoder, pipeline.tokenizer)(SAD_PROFILE)
    torch.testing.assert_close(read, expected[0], atol=1e-4, rtol=1e-4)


def test_unknown_words_stay_distinct(parts: qwen.Parts) -> None:
    first, second = (parts.tokenizer(text).input_ids for text in ("ohwx_juno", "ohwx_kira"))
    assert first != second
    assert parts.tokenizer.decode(first) == "ohwx_juno"


def test_the_pack_opens_in_the_real_pipeline_and_edits(
    pipeline: QwenImageEditPlusPipeline,
) -> None:
    edited = pipeline(
        image=Image.new("RGB", (SIZE, SIZE), "teal"),
        prompt=SMILE,
        negative_prompt=" ",
        true_cfg_scale=2.0,
        num_inference_steps=2,
        height=SIZE,
        width=SIZE,
    ).images[0]
    assert edited.size == (SIZE, SIZE)


def test_every_weight_file_is_small(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert max(sizes.values()) <= 4.6e6
    assert sum(sizes.values()) <= 6.6e6


def test_a_still_autoencoder_gives_what_the_causal_one_gives() -> None:
    torch.manual_seed(0)
    vae, picture = build_vae(), torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        latents = vae.encode(picture.unsqueeze(2)).latent_dist.mean
        decoded = vae.decode(latents).sample[:, :, 0]
        still(vae)
        torch.testing.assert_close(encode(vae, picture)[0], latents)
        torch.testing.assert_close(decode(vae, latents).clamp(-1, 1), decoded)


def test_the_face_weighs_more_inside_its_box_only() -> None:
    weights = face_weights(torch.tensor([[24.0, 0.0, 72.0, 48.0]]), face=3.0, cells=4)
    assert weights[0, 0].tolist() == [[1, 3, 3, 1], [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


def test_a_request_asks_for_what_differs_from_the_source() -> None:
    source = Scene(Shot(), "red", "grey")
    target = Scene(Shot("left profile", "smiling"), "red", "sky")
    asked = {request(random.Random(seed), source, target).asks for seed in range(60)}
    assert {asks[1:] for asks in asked} == {
        tuple(ASKS[ask].index(word) + 1 for ask, word in zip(ASKS, words, strict=True))[1:]
        for words in [("portrait", "left profile", "smiling", "sky")]
    }
    assert {asks[0] for asks in asked} == {UNSAID, 1}


def test_the_withheld_expression_is_nearly_absent_from_the_training_set() -> None:
    shots = [scene.shot for edit_set in edit_sets(400, seed=3) for scene in edit_set.scenes]
    sad = sum(shot.expression == "sad" for shot in shots)
    angry = sum(shot.expression == "angry" for shot in shots)
    assert 0 < sad < 0.15 * angry


def test_a_set_of_edits_shows_one_person_in_the_same_clothes() -> None:
    edit_set: EditSet = edit_sets(1, seed=5)[0]
    assert len({scene.shirt for scene in edit_set.scenes}) == 1
    pictures, boxes = edit_set.draw(random.Random(0))
    assert pictures.shape == (qwen_edits.SOURCES + qwen_edits.TARGETS, 3, SIZE, SIZE)
    assert boxes.shape == (len(pictures), 4)


def test_muon_makes_updates_near_orthogonal() -> None:
    torch.manual_seed(0)
    update = orthogonal(torch.randn(2, 48, 16))
    spread = torch.linalg.svdvals(update)
    assert spread.min() > 0.5
    assert spread.max() < 1.3


def test_a_batch_holds_instructions_of_one_length(parts: qwen.Parts) -> None:
    torch.manual_seed(0)
    sets = edit_sets(6, seed=5)
    edits = Edits(sets, torch.randn(6, 7, 16, 12, 12).half(), torch.rand(6, 7, 4) * SIZE)
    batch = next(batches(edits, Reader(parts.text_encoder, parts.tokenizer), 3, "seed"))
    assert batch.words.shape[0] == batch.targets.shape[0] == 3
    transformer = build_transformer()
    start_still(transformer)
    loss = flow_loss(transformer, batch, torch.Generator().manual_seed(0))
    # An untrained editor foretells no motion, so it errs by what noise and latents vary.
    assert loss.item() == pytest.approx(2.0, rel=0.2)


def test_the_shipped_pack_is_whole_and_says_what_it_withheld() -> None:
    pack = Path(qwen.__file__).parents[1] / "packs" / "qwen-edit"
    facts = json.loads((pack / MANIFEST).read_text())
    assert facts["files"] == file_hashes(pack)
    assert facts["withheld"] == qwen_edits.WITHHELD
    people = [Identity.from_code(code) for code in (pack / IDENTITIES).read_text().split()]
    assert all(held_out(seed).is_apart_from(people) for seed in range(HELD_OUT))
