"""The demo's folder: as little varied as real photos, and everything its manifest names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image

from paperdolls.demo import NAMES, cells, main
from paperdolls.people import HELD_OUT


def test_a_character_is_a_folder_whose_manifest_names_what_is_there(tmp_path: Path) -> None:
    main(["--seed", "0", "--out", str(tmp_path)])
    facts = json.loads((tmp_path / "manifest.json").read_text())
    assert (facts["name"], facts["instance_token"]) == ("Juno", "ohwx_juno")
    assert len(facts["photos"]) == 12
    assert len(facts["book"]) == len(cells()) == 23
    assert len(facts["retouches"]) == 12 * 23
    listed = [*facts["photos"], *facts["book"], *facts["retouches"], *facts["strangers"]]
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png")}
    assert {entry["file"] for entry in listed} == written
    assert Image.open(tmp_path / facts["photos"][0]["file"]).size == (96, 96)


def test_photos_hide_profiles_and_anger(tmp_path: Path) -> None:
    main(["--seed", "3", "--out", str(tmp_path)])
    photos = json.loads((tmp_path / "manifest.json").read_text())["photos"]
    assert not any("profile" in photo["view"] for photo in photos)
    assert {photo["expression"] for photo in photos} == {"neutral", "smiling"}


def test_the_same_seed_gives_the_same_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        main(["--seed", "1", "--out", str(tmp_path / name)])
    one, two = tmp_path / "one", tmp_path / "two"
    assert all(
        path.read_bytes() == (two / path.relative_to(one)).read_bytes() for path in one.rglob("*.*")
    )


def test_every_held_out_person_has_a_name_of_their_own() -> None:
    assert len(set(NAMES)) == HELD_OUT


def test_the_demo_needs_no_torch() -> None:
    code = "import sys, paperdolls.demo; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
