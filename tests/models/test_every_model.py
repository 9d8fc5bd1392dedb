"""Every known model is imported from its official files, and is then what its tower loads."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.models.test_clap_recipe import FIXTURES
from tests.spaces.tiny import TINY, put_clap_words
from unisearch.models import install as installing
from unisearch.models.bring import bring
from unisearch.models.convert import convert_here
from unisearch.models.find import find_weights, read_manifest
from unisearch.models.known import COMPANIONS, KNOWN
from unisearch.models.recipes.msclip import _second_names
from unisearch.spaces.table import load_space

State = dict[str, torch.Tensor]
CLAPS = {"clap-630k-fusion": "clap_small_fusion", "clap-music-speech": "clap_small_plain"}
#: Made by the user's choice, or with a package that may not be there.
OTHERS = ("starter", "openclip")


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "convert", convert_here)


def published(name: str, state: State) -> dict[str, State]:
    """The tensors of each official weights file, by its name: what recipes undo."""
    weights = [file.name for file in KNOWN[name].files if not file.name.endswith(COMPANIONS)]
    if KNOWN[name].recipe == "snapshot":
        weights = ["pytorch_model.bin"]  # of safetensors other tests tell
    if name == "exmcr-heads":
        starts = {file: file.removesuffix("pt") for file in weights}
    elif len(weights) > 1:
        starts = {file: f"{file.removesuffix('/best.pt')}." for file in weights}
    else:
        starts = dict.fromkeys(weights, "")
    files = {
        file: {key[len(start) :]: one for key, one in state.items() if key.startswith(start)}
        for file, start in starts.items()
    }
    if name.startswith("msclip"):
        [only] = files.values()
        only |= {second: only[first] for second, first in _second_names(12)}
    return files


def put_official(name: str, model: Path, out: Path) -> None:
    """The official files of a tiny model: a recipe has nothing to read but these."""
    state = load_file(model / "model.safetensors")
    for file, tensors in published(name, state).items():
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        content: object = tensors
        if name == "ulip2-pointbert":
            towers = {"visual.cls_token": torch.zeros(1), "logit_scale": torch.zeros(())}
            wrapped = {f"module.{key}": one for key, one in (tensors | towers).items()}
            args = argparse.Namespace(model="ULIP_PointBERT")
            content = {"epoch": 1, "state_dict": wrapped, "args": args}
        torch.save(content, out / file)
    if name == "internvl-c":
        index = {"weight_map": dict.fromkeys(state, "pytorch_model.bin")}
        (out / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    for path in model.iterdir():
        if path.suffix in COMPANIONS:
            shutil.copy(path, out)


def imported(name: str, official: Path, models: Path) -> Path:
    bring(name, models, [official], accepted=True, say=lambda line: None)
    return find_weights(name, [models])


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in (*CLAPS, *OTHERS)])
def test_official_files_become_what_the_tower_loads(name: str, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    TINY[name](tiny)
    put_official(name, tiny, tmp_path / "official")

    folder = imported(name, tmp_path / "official", tmp_path / "models")

    wanted, found = (load_file(one / "model.safetensors") for one in (tiny, folder))
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    companions = {file for file in read_manifest(folder)["files"] if file.endswith(COMPANIONS)}
    assert companions <= {path.name for path in tiny.iterdir()}


@pytest.mark.parametrize("name", CLAPS)
def test_a_training_checkpoint_of_clap_is_imported_and_loads(name: str, tmp_path: Path) -> None:
    facts = json.loads((FIXTURES / f"{CLAPS[name]}_A.manifest.json").read_text("utf-8"))["tensors"]
    integers = ("index", "num_batches_tracked", "position_ids")
    state = {
        f"module.{key}": torch.zeros(one["shape"], dtype=torch.int64)
        if key.endswith(integers)
        else torch.rand(one["shape"])
        for key, one in facts.items()
    }
    official = tmp_path / "official"
    official.mkdir()
    torch.save({"epoch": 3, "name": "x", "state_dict": state}, official / KNOWN[name].files[0].name)
    put_clap_words(official)

    folder = imported(name, official, tmp_path / "models")

    assert sorted(read_manifest(folder)["files"]) == [
        *("config.json", "model.safetensors", "tokenizer.json"),
    ]
    if name == "clap-630k-fusion":
        assert load_space("clap", {name: folder}).dim == 24


def test_every_model_is_tested() -> None:
    assert KNOWN.keys() == {*TINY, *OTHERS}
