"""What leaves the house: complete, readable by others, and without a private word."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from huggingface_hub import ModelCard
from PIL import Image as Pixels
from safetensors import safe_open

from curation.models import Image, Subject
from tests.training.shared_world import MARK, make_shared_world
from training.models import BaseModel, LoraVersion
from training.sharing.pushing import NotPushed, push

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def lora(subject: Subject) -> LoraVersion:
    return make_shared_world(subject)


@pytest.fixture
def folder(lora: LoraVersion, tmp_path: Path) -> Path:
    call_command("share", str(lora), str(tmp_path / "shared"), verbosity=0)
    return tmp_path / "shared"


def everything_said(folder: Path) -> bytes:
    """Every byte and name of every file, and what pictures say of themselves when opened."""
    said = b""
    for path in folder.rglob("*"):
        said += str(path.relative_to(folder)).encode()
        if path.is_file():
            said += path.read_bytes()
        if path.suffix in (".png", ".webp"):
            with Pixels.open(path) as picture:
                said += repr((picture.info, dict(picture.getexif()))).encode()
    return said


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = dict(attrs)
        names = ("src", "href", "srcset", "action", "data", "poster", "background")
        self.found += [value for name in names if (value := told.get(name))]


def links_of(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text())
    styles = "".join(path.read_text() for path in page.parent.glob("*.css")) + page.read_text()
    links.found += re.findall(r"""url\(\s*["']?([^"')]+)""", styles)
    links.found += re.findall(r"""@import\s+["']([^"']+)""", styles)
    return links


def test_nothing_private_leaves_in_any_byte_of_any_file(folder: Path) -> None:
    assert MARK.lower().encode() not in everything_said(folder).lower()
    assert str(settings.VAR).encode() not in everything_said(folder)


def test_the_name_leaves_only_where_it_was_ticked(lora: LoraVersion, tmp_path: Path) -> None:
    call_command("share", str(lora), str(tmp_path / "named"), name=True, verbosity=0)
    said = everything_said(tmp_path / "named")
    assert said.count(MARK.encode()) == said.count(f"{MARK} name".encode()) > 0


def test_photos_leave_only_where_they_were_ticked_and_without_what_their_files_said(
    lora: LoraVersion, folder: Path, tmp_path: Path
) -> None:
    photos = {photo.sha256[:16] for photo in Image.objects.photos()}
    assert not photos & {path.stem for path in folder.rglob("*")}
    call_command("share", str(lora), str(tmp_path / "with"), photos=True, verbosity=0)
    assert photos & {path.stem for path in tmp_path.joinpath("with").rglob("*")}
    assert MARK.encode() not in everything_said(tmp_path / "with")


def test_the_front_matter_is_the_hubs(folder: Path) -> None:
    card = ModelCard.load(folder / "README.md")
    told = card.data.to_dict()
    assert told["instance_prompt"] == "ohwx_juno person"
    assert told["license"] == "apache-2.0"
    assert {"text-to-image", "lora", "diffusers", "flux"} <= set(told["tags"])
    assert all((folder / shown["output"]["url"]).is_file() for shown in told["widget"])
    assert all(shown["text"].startswith("photo of ohwx_juno") for shown in told["widget"])
    assert "base_model" not in told


def test_what_is_made_from_flux_dev_names_its_base_and_its_licence(
    lora: LoraVersion, tmp_path: Path
) -> None:
    BaseModel.objects.filter(pk=lora.base_id).update(
        name="FLUX.1-dev",
        licence="FLUX.1 [dev] Non-Commercial License",
        source_url="https://huggingface.co/black-forest-labs/FLUX.1-dev",
    )
    call_command("share", str(lora), str(tmp_path / "dev"), verbosity=0)
    told = ModelCard.load(tmp_path / "dev" / "README.md").data.to_dict()
    assert told["license"] == "other"
    assert told["license_name"] == "flux-1-dev-non-commercial-license"
    assert told["license_link"].endswith("FLUX.1-dev/blob/main/LICENSE.md")
    assert told["base_model"] == "black-forest-labs/FLUX.1-dev"


def test_the_card_asks_nobody_for_anything(folder: Path) -> None:
    links = links_of(folder / "card" / "index.html")
    assert len(links.found) > 10
    for link in links.found:
        assert not re.match(r"[a-z]+:|/", link), link
        assert (folder / "card" / link).is_file(), link
    assert not links.tags & {"script", "iframe", "form", "object", "base"}


def test_pictures_say_that_a_machine_made_them_and_how(folder: Path) -> None:
    with Pixels.open(folder / "pictures" / "1.png") as picture:
        assert picture.info["prompt"].startswith("photo of ohwx_juno person")
        assert picture.info["seed"] == "0"
        assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
    for page in (folder / "card" / "pictures").iterdir():
        assert b"trainedAlgorithmicMedia" in page.read_bytes()


def test_a_workflow_draws_the_first_cell_again(folder: Path) -> None:
    nodes = json.loads((folder / "comfyui" / "workflow.json").read_text())
    for node in nodes.values():
        linked = [value for value in node["inputs"].values() if isinstance(value, list)]
        assert all(name in nodes and number == 0 for name, number in linked)
    words, lora, size = (nodes[name]["inputs"] for name in ("words", "lora", "size"))
    assert words["text"] == "photo of ohwx_juno person, neutral, front"
    assert (lora["strength_model"], size["width"], size["height"]) == (0.8, 96, 96)
    assert (folder / lora["lora_name"]).is_file()
    assert (nodes["sampled"]["inputs"]["seed"], nodes["sampled"]["inputs"]["steps"]) == (0, 5)


def test_the_tensors_leave_bit_for_bit(lora: LoraVersion, folder: Path) -> None:
    own = (settings.RUNS / lora.file).read_bytes()
    [shared] = folder.glob("*.safetensors")
    with safe_open(shared, framework="pt") as opened:
        assert opened.get_tensor("transformer.x.lora_A.weight").tolist() == [[1, 1], [1, 1]]
        assert opened.metadata()["modelspec.trigger_phrase"] == "ohwx_juno"
    assert shared.read_bytes()[-16:] == own[-16:]


def test_the_contact_sheet_is_a_picture_and_a_page(folder: Path) -> None:
    with Pixels.open(folder / "contact-sheet.png") as sheet:
        assert sheet.width >= 900
    assert (folder / "contact-sheet.pdf").read_bytes().startswith(b"%PDF")


def test_a_version_without_a_card_is_shared_all_the_same(
    lora: LoraVersion, subject: Subject, tmp_path: Path
) -> None:
    subject.benchmarks.all().delete()
    call_command("share", str(lora), str(tmp_path / "bare"), verbosity=0)
    assert "Not measured yet" in (tmp_path / "bare" / "README.md").read_text()
    assert ModelCard.load(tmp_path / "bare" / "README.md").data.get("widget") is None


def test_what_learned_from_withdrawn_pictures_is_not_given_away(
    lora: LoraVersion, tmp_path: Path
) -> None:
    Image.objects.photos().update(erased_at="2026-01-01T00:00Z", trashed_at="2026-01-01T00:00Z")
    with pytest.raises(CommandError, match="consent was withdrawn"):
        call_command("share", str(lora), str(tmp_path / "no"), verbosity=0)
    assert not (tmp_path / "no").exists()


def test_erased_pictures_leave_an_empty_place(lora: LoraVersion, tmp_path: Path) -> None:
    erased = Image.objects.filter(origin="benchmark").first()
    Image.objects.filter(pk=erased.pk).update(
        erased_at="2026-01-01T00:00Z", trashed_at="2026-01-01T00:00Z"
    )
    call_command("share", str(lora), str(tmp_path / "gap"), verbosity=0)
    assert "erased" in (tmp_path / "gap" / "card" / "index.html").read_text()
    assert not list(tmp_path.glob(f"gap/card/pictures/{erased.sha256[:16]}*"))


def test_a_name_that_two_subjects_have_is_asked_for_in_full(
    lora: LoraVersion, tmp_path: Path
) -> None:
    other = Subject.objects.create(name="Milo", slug="milo", instance_token="ohwx_milo")
    LoraVersion.objects.filter(pk=lora.pk).update(subject=other)
    call_command("share", "milo/char_lora_v1", str(tmp_path / "full"), verbosity=0)
    with pytest.raises(CommandError, match="No version here"):
        call_command("share", "juno/char_lora_v1", str(tmp_path / "none"), verbosity=0)


def test_offline_says_so_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotPushed, match="cannot be reached from here"):
        push(tmp_path, "me/juno", "a token", is_public=False, hub=NOWHERE)


def test_a_bad_name_of_a_repository_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotPushed, match="Write it as you/name"):
        push(tmp_path, "me/juno/and more", "a token", is_public=False, hub=NOWHERE)
