"""The weights that ship are whole, small and what their manifest says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_tensors

from unisearch.errors import WeightsError
from unisearch.models.find import find_weights
from unisearch.records import Modality, Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.spaces.starter.model import Starter
from unisearch.spaces.starter.samples import prepare_sample
from unisearch.spaces.starter.space import encode_batch
from unisearch.spaces.table import load_space


@pytest.fixture(scope="module")
def weights() -> Path:
    return find_weights("starter")


@pytest.fixture(scope="module")
def starter(weights: Path) -> Space:
    return load_space("starter", {"starter": weights})


def test_the_weights_that_ship_are_small_enough(weights: Path) -> None:
    assert (weights / "model.safetensors").stat().st_size <= 20 * 1024**2


def test_the_id_names_weights_and_preprocessing(weights: Path) -> None:
    digest = hashlib.sha256((weights / "model.safetensors").read_bytes()).hexdigest()

    name, short, version = load_space("starter", {"starter": weights}).id.split("-")

    assert name == "starter"
    assert digest.startswith(short)
    assert int(version) >= 1


def test_the_manifest_names_licence_data_and_metrics(weights: Path) -> None:
    manifest = json.loads((weights / "manifest.json").read_text("utf-8"))

    assert {"name", "licence", "source", "files", "training", "data", "metrics"} <= set(manifest)
    assert manifest["metrics"]["world"]["mean"] > 0.5


def test_every_source_under_cc_by_is_attributed(weights: Path) -> None:
    text = (weights / "ATTRIBUTION.md").read_text("utf-8")

    assert "Mozilla" in text
    assert text.count("https://freesound.org/s/") > 100


def test_folding_the_norms_changes_nothing(weights: Path, mixed: list[Sample]) -> None:
    plain = Starter()
    state = load_tensors(weights / "model.safetensors")
    plain.load_state_dict({name: tensor.float() for name, tensor in state.items()})

    rows = encode_batch(plain.eval(), [prepare_sample(sample) for sample in mixed])

    assert np.abs(rows - load_space("starter", {"starter": weights}).encode(mixed)).max() < 1e-4


def test_without_weights_it_says_so() -> None:
    with pytest.raises(WeightsError, match="needs the folder of its weights"):
        load_space("starter", {})


def test_weights_of_another_network_are_refused(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text((weights / "manifest.json").read_text())
    tensors = load_file(weights / "model.safetensors")
    tensors.pop("body.0.out.weight")
    save_file(tensors, tmp_path / "model.safetensors")

    with pytest.raises(WeightsError, match="holds no weights of the starter network"):
        load_space("starter", {"starter": tmp_path})


def test_nothing_of_a_long_text_is_cut_off(starter: Space) -> None:
    words = [f"dog{n}" for n in range(120)]
    text, other_end = " ".join(words), " ".join([*words[:-1], "helicopter"])
    long_word, other_letter = "x" * 90 + "a", "x" * 90 + "b"

    rows = starter.encode([TextSample(one) for one in (text, other_end, long_word, other_letter)])

    assert not np.allclose(rows[0], rows[1], atol=1e-4)
    assert not np.allclose(rows[2], rows[3], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_long_text_is_the_mean_of_its_pieces(starter: Space) -> None:
    words = [f"cat{n}" for n in range(96)]
    pieces = [TextSample(" ".join(words[:48])), TextSample(" ".join(words[48:]))]

    whole = starter.encode([TextSample(" ".join(words)), TextSample("a short one")])[0]

    mean = starter.encode(pieces).mean(axis=0)
    np.testing.assert_allclose(whole, mean / np.linalg.norm(mean), atol=1e-4)


def test_a_batch_too_large_for_the_device_is_halved(
    starter: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands in for a GPU, which tests do not have: the network refuses more than 3 at once."""
    samples = [TextSample(f"dog {n} in the park") for n in range(8)]
    whole = starter.encode(samples)
    forward = Starter.forward

    def small(model: Starter, modality: Modality, arrays: list[torch.Tensor]) -> torch.Tensor:
        if len(arrays[0]) > 3:
            raise torch.OutOfMemoryError("no memory for so many")
        return forward(model, modality, arrays)

    monkeypatch.setattr(Starter, "forward", small)

    np.testing.assert_allclose(starter.encode(samples), whole, atol=1e-5)
