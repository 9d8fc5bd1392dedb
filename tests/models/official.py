"""The files of every known model as its publisher has them, tiny and with random numbers.

They are made of the tiny models of tests/spaces/tiny.py, by undoing what recipes do; those of CLAP
of the shapes of a fixture under their official keys.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

import torch
from safetensors.torch import load_file

from tests.models.hub import Hub
from tests.models.test_clap_recipe import FIXTURES
from tests.parity.rule import tensor
from tests.spaces.tiny import TINY, put_clap_words
from unisearch.models.known import COMPANIONS, KNOWN, Known
from unisearch.models.recipes.msclip import _second_names

State = dict[str, torch.Tensor]
CLAPS = {"clap-630k-fusion": "clap_small_fusion", "clap-music-speech": "clap_small_plain"}


def put_official(name: str, out: Path) -> None:
    """The official files of a model into `out`: a recipe has nothing to read but these.

    Beside them, in a folder of that name, lies what a tower reads: 'NAME.tiny'; not so of CLAP.
    """
    out.mkdir(parents=True)
    if name in CLAPS:
        wrapped = {f"module.{key}": one for key, one in clap_state(CLAPS[name]).items()}
        content = {"epoch": 3, "name": "x", "state_dict": wrapped}
        torch.save(content, out / KNOWN[name].files[0].name)
        put_clap_words(out)
        return
    tiny = out.with_name(f"{out.name}.tiny")
    tiny.mkdir()
    TINY[name](tiny)
    _undo(name, tiny, out)


def clap_state(fixture: str, seed: int = 5) -> State:
    """The tensors of an official CLAP, of the sizes of that fixture."""
    file = FIXTURES / f"{fixture}_A.manifest.json"
    facts = json.loads(file.read_text("utf-8"))["tensors"]
    state = {key: torch.from_numpy(tensor(key, one["shape"], seed)) for key, one in facts.items()}
    for key, one in state.items():
        if key.endswith(("relative_position_index", "position_ids")):
            state[key] = torch.zeros_like(one, dtype=torch.int64)
    return state


def _undo(name: str, tiny: Path, out: Path) -> None:
    [stored] = tiny.glob("*.safetensors")
    state = load_file(stored)
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
    for path in tiny.iterdir():
        if path.suffix in COMPANIONS:
            shutil.copy(path, out)


def published(name: str, state: State) -> dict[str, State]:
    """The tensors of each official weights file, by its name: what recipes undo."""
    weights = [file.name for file in KNOWN[name].files if not file.name.endswith(COMPANIONS)]
    if KNOWN[name].recipe == "snapshot":  # of safetensors other tests tell
        weights = ["open_clip_pytorch_model.bin" if name == "openclip" else "pytorch_model.bin"]
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


def publish(hub: Hub, name: str, folder: Path) -> Known:
    """Puts official files where a pull looks for them; the model with its addresses on this hub.

    Repositories of the hub keep their names, an address of another server becomes one of this.
    """
    sources = []
    for source in KNOWN[name].sources:
        assert source.place is not None, f"{name}: nobody can pull it"
        place = source.place
        if "://" in place:
            place = hub.url + urlparse(place).path
        below = urlparse(place).path.strip("/")
        for path in folder.rglob("*"):
            if path.is_file():
                hub.files[f"{below}/{path.relative_to(folder)}"] = path.read_bytes()
        sources.append(replace(source, place=place))
    return replace(KNOWN[name], sources=tuple(sources))
