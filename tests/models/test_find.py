"""Weights are found in the right place and checked before use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from unisearch.errors import WeightsError
from unisearch.models import find
from unisearch.models.find import (
    aside,
    find_folder,
    find_weights,
    is_model,
    read_manifest,
    verify,
)


def put_model(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(content)
    digests = {"model.safetensors": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"name": folder.name, "files": digests}))
    return folder


def test_the_folder_of_the_configuration_wins(tmp_path: Path) -> None:
    mine = put_model(tmp_path / "mine" / "starter")

    assert find_weights("starter", [tmp_path / "none", tmp_path / "mine"]) == mine


@pytest.mark.parametrize("moments", [*combinations_with_replacement(range(4), 3)])
def test_a_model_is_found_at_every_moment_of_its_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: tuple[int, int, int]
) -> None:
    place, old = tmp_path / "one", aside(tmp_path, "one")
    put_model(place)
    new = put_model(old.with_name("one.new"), b"others")
    steps = [lambda: place.rename(old), lambda: new.rename(place), lambda: shutil.rmtree(old)]
    looks: list[Path] = []

    def look(folder: Path) -> bool:
        for moment, step in zip(moments, steps, strict=True):
            if moment == len(looks):
                step()
        looks.append(folder)
        return is_model(folder)

    monkeypatch.setattr(find, "is_model", look)

    assert find_folder("one", [tmp_path]) in (place, old)
    assert looks[1:] in ([], [old], [old, place])


def test_missing_weights_say_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"no weights of the model 'unheard'.*{tmp_path}"):
        find_weights("unheard", [tmp_path])


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "starter")

    (folder / "model.safetensors").write_bytes(b"weighty")

    with pytest.raises(WeightsError, match="damaged or of another model"):
        find_weights("starter", [tmp_path])


def test_a_listed_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "starter")

    (folder / "model.safetensors").unlink()

    with pytest.raises(WeightsError, match="cannot read the weights"):
        find_weights("starter", [tmp_path])


@pytest.mark.parametrize("text", ["", "[]", '{"files": {}}', '{"files": {"a": 1}}', '{"name": 1}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(WeightsError, match="no manifest of weights"):
        read_manifest(tmp_path)


def test_weights_that_were_verified_are_not_read_again_until_they_change(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "clip")
    weights = folder / "model.safetensors"
    find_weights("clip", [tmp_path])
    before = weights.stat()

    weights.write_bytes(b"weighty")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert find_weights("clip", [tmp_path]) == folder  # a bit that fell over is not looked for
    with pytest.raises(WeightsError, match="damaged"):
        verify(folder)
    os.utime(weights)
    with pytest.raises(WeightsError, match="damaged"):
        find_weights("clip", [tmp_path])


def test_another_manifest_is_verified_again(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "clip")
    find_weights("clip", [tmp_path])

    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.safetensors"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(WeightsError, match="damaged"):
        find_weights("clip", [tmp_path])


def test_a_stamp_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "clip")
    (folder / ".verified").write_text("nonsense")
    (folder / "model.safetensors").write_bytes(b"weighty")

    with pytest.raises(WeightsError, match="damaged"):
        find_weights("clip", [tmp_path])
