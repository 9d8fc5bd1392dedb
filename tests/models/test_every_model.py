"""Every known model is imported from its official files, and is then what its tower loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.models.official import CLAPS, put_official
from tests.spaces.tiny import TINY
from unisearch.models import install as installing
from unisearch.models.bring import bring
from unisearch.models.convert import convert_here
from unisearch.models.find import find_weights, read_manifest
from unisearch.models.known import COMPANIONS, KNOWN
from unisearch.spaces.table import load_space


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "convert", convert_here)


def imported(name: str, official: Path, models: Path) -> Path:
    bring(name, models, [official], accepted=True, say=lambda line: None)
    return find_weights(name, [models])


@pytest.mark.parametrize("name", [name for name in TINY if name not in CLAPS])
def test_official_files_become_what_the_tower_loads(name: str, tmp_path: Path) -> None:
    put_official(name, tmp_path / "official")

    folder = imported(name, tmp_path / "official", tmp_path / "models")

    tiny, stored = tmp_path / "official.tiny", KNOWN[name].stored
    wanted, found = (load_file(one / stored) for one in (tiny, folder))
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    companions = {file for file in read_manifest(folder)["files"] if file.endswith(COMPANIONS)}
    assert companions <= {path.name for path in tiny.iterdir()}


@pytest.mark.parametrize("name", CLAPS)
def test_a_training_checkpoint_of_clap_is_imported_and_loads(name: str, tmp_path: Path) -> None:
    put_official(name, tmp_path / "official")

    folder = imported(name, tmp_path / "official", tmp_path / "models")

    assert sorted(read_manifest(folder)["files"]) == [
        *("config.json", "model.safetensors", "tokenizer.json"),
    ]
    if name == "clap-630k-fusion":
        assert load_space("clap", {name: folder}).dim == 24


def test_every_model_is_tested() -> None:
    assert {*KNOWN} - {*TINY} <= {"starter", "openclip"}  # shipped; of a package that may lack
