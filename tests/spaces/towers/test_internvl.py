"""InternVL-C runs code of its publisher: only where that is allowed, and only what was verified."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.spaces.conftest import picture
from tests.spaces.tiny import manifest, put_internvl, put_json
from unisearch.errors import BadSetting, WeightsError
from unisearch.records import Modality, Sample, TextSample
from unisearch.spaces.towers import internvl
from unisearch.spaces.towers.folder import read_json
from unisearch.spaces.towers.internvl import InternVlTower

META = {"format": "pt"}  # without it transformers reads no file


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is there once the publisher's code ran."""
    return tmp_path / "the code ran"


@pytest.fixture
def folder(tmp_path: Path, mark: Path) -> Path:
    place = tmp_path / "internvl-c"
    place.mkdir()
    put_internvl(place, mark)
    manifest(place)
    return place


def rows_of(tower: InternVlTower, *samples: Sample) -> torch.Tensor:
    modality: Modality = samples[0].modality
    return tower.encode(modality, [tower.preparer(modality)(one) for one in samples])


def test_without_the_setting_no_code_runs(folder: Path, mark: Path) -> None:
    with pytest.raises(
        BadSetting, match=r"Python code of its publisher.*spaces\.remote_code: true"
    ):
        InternVlTower(folder)

    assert not mark.exists()


def test_with_the_setting_it_sees_and_reads(folder: Path, mark: Path) -> None:
    tower = InternVlTower(folder, remote_code=True)

    pictures = rows_of(tower, picture(1), picture(2))
    texts = rows_of(tower, TextSample("a red chair"), TextSample("thunder"), TextSample(""))

    assert mark.exists()
    assert (pictures.shape, texts.shape) == ((2, 768), (3, 768))
    assert pictures.dtype == texts.dtype == torch.float32
    assert torch.cat([pictures, texts]).norm(dim=1).tolist() == pytest.approx([1.0] * 5, abs=1e-5)


def test_texts_are_asked_for_as_in_training(folder: Path) -> None:
    tower = InternVlTower(folder, remote_code=True)

    begin, *ids, end = tower._ids("a cat")

    assert (begin, end) == (1, 2)
    assert tower._tokenizer.decode(ids) == "summarize:a cat"


def test_the_end_of_a_long_text_counts(folder: Path) -> None:
    tower, many = InternVlTower(folder, remote_code=True), "one two three " * 30

    first, second = rows_of(tower, TextSample(many + "cats"), TextSample(many + "dogs"))

    assert not torch.equal(first, second)


def test_code_that_was_not_verified_does_not_run(folder: Path, mark: Path) -> None:
    (folder / "another.py").write_text("", "utf-8")

    with pytest.raises(WeightsError, match=r"another\.py is not in the manifest"):
        InternVlTower(folder, remote_code=True)

    assert not mark.exists()


def test_code_of_another_place_does_not_run(folder: Path, mark: Path) -> None:
    config = read_json(folder / "config.json")
    config["auto_map"]["AutoModel"] = "someone/else--modeling_tiny.TinyModel"
    put_json(folder / "config.json", config)
    manifest(folder)

    with pytest.raises(WeightsError, match=r"wants code of another place: someone/else"):
        InternVlTower(folder, remote_code=True)

    assert not mark.exists()


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("modeling_tiny.py", "the network in .* does not load"),
        ("model.safetensors", "the network in .* does not load"),
        ("tokenizer.json", "the tokenizer in .* does not load"),
        ("preprocessor_config.json", "is not there"),
    ],
)
def test_what_lacks_is_one_line(folder: Path, lost: str, message: str) -> None:
    (folder / lost).unlink()
    manifest(folder)

    with pytest.raises(WeightsError, match=message) as error:
        InternVlTower(folder, remote_code=True)

    assert "\n" not in str(error.value)


def test_weights_that_the_code_does_not_know_are_refused(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    save_file({**state, "more": torch.zeros(1)}, folder / "model.safetensors", META)
    manifest(folder)

    with pytest.raises(WeightsError, match=r"weights have too much: 'more"):
        InternVlTower(folder, remote_code=True)


def test_weights_that_lack_are_not_drawn_at_random(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    save_file({"read.weight": state["read.weight"]}, folder / "model.safetensors", META)
    manifest(folder)

    with pytest.raises(WeightsError, match=r"weights lack 'seen\."):
        InternVlTower(folder, remote_code=True)


def test_words_in_a_format_that_nothing_here_reads_say_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internvl, "is_here", lambda package: package != "google.protobuf")
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")
    manifest(folder)

    with pytest.raises(WeightsError, match=r"needs packages: pip install sentencepiece protobuf"):
        InternVlTower(folder, remote_code=True)
