"""LAION-CLAP against its official code: through the key map, on texts, windows and long sounds."""

from __future__ import annotations

import re
import shutil
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import soxr
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from tests.parity import rule, sets
from tests.parity.sounds import sound
from tests.spaces.tiny import put_clap_words, put_json
from unisearch.models.recipes.clap import renamed
from unisearch.records import AudioSample
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.clap_prepare import RATE_HZ, WINDOW, long_mels, round_trip

UNIT, DECIBEL = 1e-4, 1e-2
#: Numpy's legacy seed before the three starts of a long sound were drawn, where none are stored.
LEGACY_SEED = 0


@dataclass(frozen=True)
class Case:
    """A fixture and the tower that its weights make."""

    fixture: sets.Fixture
    tower: ClapTower

    def of(self, name: str) -> dict[str, NDArray[Any]]:
        """What the fixture says of one sound, by the last part of the names."""
        start = f"audio/{name}/"
        arrays = self.fixture.arrays
        return {key.removeprefix(start): arrays[key] for key in arrays if key.startswith(start)}

    def sounds(self, longer: bool) -> list[str]:
        """The sounds that are taken as longer than a window, or those that are not."""
        found = [re.fullmatch(r"audio/(.+)/longer", key) for key in self.fixture.arrays]
        names = [match[1] for match in found if match]
        return [name for name in names if bool(self.of(name)["longer"]) == longer]


@pytest.fixture(scope="module", params=sets.fixtures("clap/clap_*.npz"))
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    fixture: sets.Fixture = request.param
    folder = tmp_path_factory.mktemp("clap")
    state, config = renamed(official(fixture))
    save_file({key: one.contiguous() for key, one in state.items()}, folder / "model.safetensors")
    put_json(folder / "config.json", config)
    put_clap_words(folder)
    put_json(folder / "manifest.json", {"files": {"model.safetensors": "not of interest"}})
    yield Case(fixture, ClapTower(folder))
    shutil.rmtree(folder)  # up to 0.8 GB


def official(fixture: sets.Fixture) -> dict[str, torch.Tensor]:
    """The state dict as published, with what is not drawn as the official classes build it."""
    state = {f"module.{key}": one for key, one in fixture.weights.items()}
    vars(fixture).pop("weights")
    for key, digest in fixture.manifest.get("sha256", {}).items():
        assert rule.digest(state[f"module.{key}"].numpy()) == digest, key
    for key in fixture.manifest["tensors"]:
        if key.endswith("num_batches_tracked"):
            state[f"module.{key}"] = torch.tensor(0)
        if key.endswith("relative_position_index"):
            state[f"module.{key}"] = relative_positions(8)
    return state


def relative_positions(side: int) -> torch.Tensor:
    """int64 (side², side²): which row of the table holds the bias between two places (Swin)."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    down = rows.flatten()[:, None] - rows.flatten()[None] + side - 1
    right = columns.flatten()[:, None] - columns.flatten()[None] + side - 1
    return down * (2 * side - 1) + right


def waveform(case: Case, name: str) -> NDArray[np.float32]:
    """The sound of a fixture: made by rule, a medium, or cut and joined from media."""
    facts = case.of(name)
    count = int(facts["n_samples"])
    if "seed" in facts:
        return sound(int(facts["seed"]), count)
    if re.fullmatch(r"(short|long)\d+s", name):
        return np.concatenate([loaded("train"), loaded("toilet")])[:count]
    return loaded(name)


def loaded(name: str) -> NDArray[np.float32]:
    """A WAV file of one channel at RATE_HZ, as librosa loads it by default."""
    with wave.open(str(sets.medium(f"{name}.wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        scaled = (values / 32_768).astype(np.float32)
        return np.asarray(soxr.resample(scaled, file.getframerate(), RATE_HZ, "HQ"), np.float32)


def test_texts_have_the_official_vectors(case: Case) -> None:
    arrays = case.fixture.arrays
    ids, mask = (torch.from_numpy(arrays[f"text/{key}"]) for key in ("input_ids", "attention_mask"))

    rows = torch.nn.functional.normalize(case.tower.encode_numbers(ids, mask), dim=-1)

    assert sets.worst(rows, arrays["text/embed"]) <= UNIT


def test_the_mel_of_a_window_is_the_official_one(case: Case) -> None:
    compared = 0
    for name in case.sounds(longer=False):
        facts = case.of(name)
        [mel] = case.tower.preparer("audio")(AudioSample(waveform(case, name), RATE_HZ))
        if "mel_fusion_channel0" in facts:
            compared += 1
            assert sets.worst(mel, facts["mel_fusion_channel0"]) <= DECIBEL, name
        if "mel" in facts:  # each so many frames
            compared += 1
            step = int(case.fixture.arrays["mel_step"])
            assert sets.worst(mel[::step], facts["mel"]) <= DECIBEL, name
    if not compared:
        pytest.skip(f"{case.fixture.file.name} holds no mel")


def test_windows_have_the_official_vectors(case: Case) -> None:
    names = case.sounds(longer=False)
    prepare = case.tower.preparer("audio")
    prepared = [prepare(AudioSample(waveform(case, name), RATE_HZ)) for name in names]

    rows = case.tower.encode("audio", prepared)

    wanted = np.stack([case.of(name)["embed"] for name in names])
    assert sets.worst(rows, wanted) <= UNIT


def test_a_long_sound_has_the_official_vector(case: Case) -> None:
    for name in case.sounds(longer=True):
        row = (long_fused if case.tower.fusion else long_cropped)(case, name)

        assert sets.worst(row[0], case.of(name)["embed"]) <= UNIT, name


def long_fused(case: Case, name: str) -> torch.Tensor:
    """(1, dim): through the whole, shrunk, and three parts of it."""
    facts = case.of(name)
    samples = round_trip(waveform(case, name))
    starts = facts.get("starts", legacy_starts(len(samples)))
    mels = long_mels(samples, [int(start) for start in starts])
    if "mel_fusion_all4" in facts:
        assert sets.worst(mels, facts["mel_fusion_all4"]) <= DECIBEL, name
    if "mels" in facts:
        step = int(case.fixture.arrays["mel_step"])
        assert sets.worst(mels[:, ::step], facts["mels"]) <= DECIBEL, name
    return case.tower.encode_long([mels])


def long_cropped(case: Case, name: str) -> torch.Tensor:
    """(1, dim): through one window of it."""
    start = int(case.of(name)["crop_start"])
    cropped = waveform(case, name)[start : start + WINDOW]
    return case.tower.encode("audio", [case.tower.preparer("audio")(AudioSample(cropped, RATE_HZ))])


def legacy_starts(samples: int) -> list[int]:
    """Frames that the official code draws: one in each third of the places where a window fits."""
    places = np.arange(1 + samples // 480 - 1_000)
    drawn = np.random.RandomState(LEGACY_SEED)
    return [int(drawn.choice(third)) for third in np.array_split(places, 3)]
