"""What can be wrong with the official files of each format is one line, and no model comes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.official import put_official
from tests.models.test_convert import Code
from tests.spaces.tiny import TINY
from unisearch.cli.models import opened
from unisearch.errors import WeightsError
from unisearch.models import install as installing
from unisearch.models.bring import bring
from unisearch.models.convert import convert_here
from unisearch.models.known import COMPANIONS
from unisearch.spaces.table import SPACES, load_space

State = dict[str, Any]
#: One model of each official format.
FORMATS = [
    name
    for name in TINY
    if name
    not in (
        *("clap-music-speech", "msclip-s-b16", "freebind-drvt"),
        *("freebind-internvl-ib-pp", "freebind-internvl-ib-ftpp"),
    )
]
#: A tensor of each official file that its network needs; of others it is the first matrix.
NEEDED = {
    "clap-630k-fusion": "module.audio_projection.0.weight",
    "ulip2-pointbert": "module.point_encoder.reduce_dim.weight",
    "msclip-s-b32": "visual.proj",
}


def lacking(state: State, key: str, folder: Path) -> None:
    del state[key]


def surplus(state: State, key: str, folder: Path) -> None:
    start = "module." if key.startswith("module.") else ""
    state[f"{start}of_another.weight"] = torch.zeros(2, 2)


def flat(state: State, key: str, folder: Path) -> None:
    state[key] = state[key].flatten()


def longer(state: State, key: str, folder: Path) -> None:
    state[key] = torch.cat([state[key], state[key][:1]])


def other(state: State, key: str, folder: Path) -> None:
    state.clear()
    state["layer.weight"] = torch.zeros(2, 2)


def code(state: State, key: str, folder: Path) -> None:
    state["note"] = Code(folder / "it-ran")


#: Each with a word of the line: sizes are told by importers, by networks, or where two meet.
FAULTS: dict[Callable[[State, str, Path], None], str] = {
    lacking: r"lacks? (the tensor )?'|' is missing",
    surplus: r"too m(any|uch)|has no place",
    flat: r"shape|size",
    longer: r"shape|size|width|heads from",
    other: r"lacks? (the tensor )?'|' is missing|heads",
    code: r"holds code or objects \('posix.system'\) beside tensors",
}


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model's official files, made once; tests change copies."""
    folder = tmp_path_factory.mktemp("official")

    @cache
    def made(name: str) -> Path:
        put_official(name, folder / name)
        return folder / name

    return made


@pytest.fixture(scope="module")
def whole(official: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all models, whole: what heads are opened with."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installing, "convert", convert_here)
        for name in TINY:
            bring(name, folder, [official(name)], accepted=True, say=lambda line: None)
    return folder


def weights_of(folder: Path) -> Path:
    """The first file of tensors in it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return next(path for path in files if not path.name.endswith(COMPANIONS))


def copied(official: Path, folder: Path) -> Path:
    """The folder with links to all official files but the weights, which are returned to write."""
    wrong = weights_of(official).relative_to(official)
    for path in official.rglob("*"):
        place = folder / path.relative_to(official)
        if path.is_file() and place != folder / wrong:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
    (folder / wrong).parent.mkdir(parents=True, exist_ok=True)
    return folder / wrong


def refusal(name: str, folder: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is told when those files are imported and what stands on them is opened."""
    monkeypatch.setattr(installing, "convert", convert_here)
    models = folder.parent / "models"
    space = next(space for space, entry in SPACES.items() if name in entry.models)
    weights = {model: whole / model for model in SPACES[space].models} | {name: models / name}

    def wanted() -> None:
        bring(name, models, [folder], accepted=True, say=lambda line: None, check=opened(name))
        # Heads have a network only together with what they stand on.
        load_space(space, weights, settings={"remote_code": True})

    with pytest.raises(WeightsError) as caught:
        wanted()
    if any(entry.models == (name,) for entry in SPACES.values()):
        assert not (models / name).exists()
    return str(caught.value)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("name", FORMATS)
def test_wrong_tensors_are_one_line(
    name: str,
    fault: Callable[[State, str, Path], None],
    official: Callable[[str], Path],
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = copied(official(name), tmp_path / "given")
    content = torch.load(weights_of(official(name)), weights_only=False)
    state = content.get("state_dict", content)
    key = NEEDED.get(name) or next(key for key, one in state.items() if one.ndim > 1)
    fault(state, key, tmp_path)
    torch.save(content, file)

    line = refusal(name, tmp_path / "given", whole, monkeypatch)

    assert "\n" not in line
    assert re.search(FAULTS[fault], line), line
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_off_file_is_one_line(
    name: str,
    official: Callable[[str], Path],
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = copied(official(name), tmp_path / "given")
    content = weights_of(official(name)).read_bytes()
    file.write_bytes(content[: len(content) // 2])

    line = refusal(name, tmp_path / "given", whole, monkeypatch)

    assert line == f"{file}: is cut off: fetch it again"
