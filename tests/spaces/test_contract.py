"""What every space promises, run over the table; published ones of tiny models (tiny.py)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.spaces.tiny import TINY, tiny_space
from unisearch.errors import UnknownName, WeightsError
from unisearch.models.find import find_weights
from unisearch.records import MODALITIES, ImageSample, Modality, Sample, ShotSample
from unisearch.spaces.base import Space
from unisearch.spaces.table import SPACES, load_space


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny models are made, each once for all spaces."""
    return tmp_path_factory.mktemp("models")


#: What needs a package that CI cannot install (docs/decisions/0001) is run where it is.
HERE = [name for name in sorted(SPACES) if name != "openclip" or find_spec("open_clip")]


@pytest.fixture(scope="module", params=HERE)
def space(request: pytest.FixtureRequest, models: Path) -> Space:
    name = str(request.param)
    if TINY.keys() & SPACES[name].models:
        return tiny_space(name, models)
    return load_space(name, {model: find_weights(model) for model in SPACES[name].models})


@pytest.fixture
def seen(space: Space, mixed: list[Sample]) -> list[Sample]:
    """A few samples of every modality of the space, in turn."""
    return [sample for sample in mixed if sample.modality in space.modalities]


def test_an_unknown_space_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match="did you mean 'toy'"):
        load_space("tooy", {})


def test_it_says_what_it_is(space: Space) -> None:
    assert space.id.startswith(space.name)
    assert space.modalities == tuple(one for one in MODALITIES if one in space.modalities)
    assert space.modalities
    assert ("video" in space.modalities) == ("image" in space.modalities)


def test_rows_are_finite_and_of_unit_length(
    space: Space, samples: dict[Modality, list[Sample]]
) -> None:
    for modality in space.modalities:
        rows = space.encode(samples[modality])

        assert rows.shape == (len(samples[modality]), space.dim)
        assert rows.dtype == np.float32
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_no_samples_give_no_rows(space: Space) -> None:
    assert space.encode([]).shape == (0, space.dim)


def test_the_same_samples_give_the_same_rows(space: Space, seen: list[Sample]) -> None:
    once, again = space.encode(seen), space.encode(seen)

    assert np.abs(once - again).max() < 1e-6


def test_a_row_does_not_depend_on_its_batch_mates(space: Space, seen: list[Sample]) -> None:
    together = space.encode(seen)

    for row, sample in zip(together, seen, strict=True):
        assert np.abs(space.encode([sample])[0] - row).max() < 1e-4


def test_rows_come_in_the_order_of_the_samples(space: Space, seen: list[Sample]) -> None:
    forward, backward = space.encode(seen), space.encode(seen[::-1])
    mixed = np.random.default_rng(0).permutation(2 * len(seen))
    batches = [space.encode([(seen + seen)[n] for n in part]) for part in np.array_split(mixed, 3)]

    assert np.abs(forward - backward[::-1]).max() < 1e-4
    assert np.abs(np.concatenate(batches) - np.tile(forward, (2, 1))[mixed]).max() < 1e-4


def test_other_content_gives_another_row(
    space: Space, samples: dict[Modality, list[Sample]]
) -> None:
    for modality in space.modalities:
        first, second = space.encode(samples[modality][:2])

        assert first @ second < 0.999, modality


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_changes_next_to_nothing(
    space: Space, seen: list[Sample], precision: torch.dtype
) -> None:
    exact = space.encode(seen)

    with torch.autocast("cpu", precision):
        rough = space.encode(seen)

    assert np.sum(exact * rough, axis=1).min() >= 0.999


def test_prepared_samples_travel_between_processes(space: Space, seen: list[Sample]) -> None:
    prepared = [space.prepare(sample) for sample in seen]

    travelled = pickle.loads(pickle.dumps(prepared))

    assert np.array_equal(space.encode_prepared(prepared), space.encode_prepared(travelled))


def test_a_shot_is_seen_as_a_picture_is(
    space: Space, samples: dict[Modality, list[Sample]]
) -> None:
    if "video" not in space.modalities:
        return
    pictures = [sample for sample in samples["image"] if isinstance(sample, ImageSample)]
    shots = [ShotSample(picture.pixels) for picture in pictures]

    assert [space.prepare(shot).modality for shot in shots] == ["video"] * len(shots)
    assert np.array_equal(space.encode(shots), space.encode(pictures))
    assert np.array_equal(space.reference("video"), space.reference("image"))


def test_what_is_declared_of_pictures_is_declared_of_videos(space: Space) -> None:
    for other in MODALITIES:
        assert space.quality.get((other, "video")) == space.quality.get((other, "image"))
        assert space.quality.get(("video", other)) == space.quality.get(("image", other))


def test_what_is_declared_is_a_share_of_a_pair_that_it_sees(space: Space) -> None:
    for pair, share in space.quality.items():
        assert set(pair) <= set(space.modalities)
        assert 0.0 <= share <= 1.0


def test_the_reference_is_varied_and_of_unit_length(space: Space) -> None:
    for modality in space.modalities:
        rows = space.reference(modality)

        assert len(rows) >= 512
        assert rows.shape[1] == space.dim
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=2e-4)
        assert len(np.unique(rows.round(3), axis=0)) > len(rows) // 2


def test_the_toy_refuses_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has no weights"):
        load_space("toy", {"toy": tmp_path})


def test_the_preparer_travels_without_network_or_weights(
    space: Space, seen: list[Sample], tmp_path: Path
) -> None:
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(pickle.dumps((space.preparer, seen)))
    program = (
        "import pickle, sys; prepare, samples = pickle.load(open(sys.argv[1], 'rb'));"
        "pickle.dump([prepare(sample) for sample in samples], open(sys.argv[2], 'wb'));"
        "assert 'torch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program, sent, back], check=True, timeout=120)

    prepared = pickle.loads(back.read_bytes())
    vectors = space.encode_prepared(prepared)
    assert np.array_equal(vectors, space.encode_prepared([space.prepare(one) for one in seen]))
