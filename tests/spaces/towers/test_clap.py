"""LAION-CLAP: sounds become the official mel pictures, and folders that do not fit are one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from tests.parity.sounds import sound
from tests.spaces.tiny import manifest, put_clap
from unisearch.errors import WeightsError
from unisearch.records import AudioSample, Modality, TextSample
from unisearch.spaces.towers.clap import BOTH, ClapTower
from unisearch.spaces.towers.clap_prepare import (
    BANDS,
    FRAMES,
    HOP,
    WINDOW,
    PrepareSound,
    log_mel,
    long_mels,
    repeat_and_pad,
    round_trip,
    windows,
)
from unisearch.spaces.towers.prepare import Array, text_bytes

FUSION = pytest.mark.parametrize("fusion", [True, False])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clap-630k-fusion")
    put_clap(folder)
    manifest(folder)
    return folder


@pytest.fixture(scope="module")
def tower(folder: Path) -> ClapTower:
    return ClapTower(folder)


def heard(tower: ClapTower, *samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of sounds at the tower's rate."""
    prepare = tower.preparer("audio")
    with torch.inference_mode():
        rows = tower.encode("audio", [prepare(AudioSample(one, 48_000)) for one in samples])
    return np.asarray(rows)


def read(tower: ClapTower, *texts: str) -> NDArray[np.float32]:
    with torch.inference_mode():
        return np.asarray(tower.encode("text", [text_bytes(TextSample(text)) for text in texts]))


@FUSION
@pytest.mark.parametrize("count", [30_000, 480_000, 550_000])
def test_the_mel_is_what_transformers_computes_in_double_precision(
    fusion: bool, count: int
) -> None:
    from transformers import ClapFeatureExtractor

    samples = round_trip(sound(count, count))
    extractor = ClapFeatureExtractor(frequency_min=50)
    filters = extractor.mel_filters if fusion else extractor.mel_filters_slaney

    mel = log_mel(samples, fusion)

    wanted = extractor._np_extract_fbank_features(samples.astype(np.float64), filters)
    assert mel.dtype == np.float32
    assert np.abs(mel - wanted).max() < 1e-2


def test_a_short_sound_is_repeated_whole_and_the_rest_is_silence() -> None:
    samples = np.arange(1, 200_001, dtype=np.float32)

    filled = repeat_and_pad(samples)

    assert np.array_equal(filled[:400_000], np.tile(samples, 2))
    assert not filled[400_000:].any()


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(7, np.float32)])
def test_silence_is_the_floor(samples: NDArray[np.float32]) -> None:
    [mel] = PrepareSound(fusion=True)(AudioSample(samples, 48_000))

    assert mel.shape == (FRAMES, BANDS)
    assert np.abs(mel + 100).max() < 1e-4


def test_samples_are_cut_to_sixteen_bits_toward_zero() -> None:
    found = round_trip(np.array([-3, -1, -0.99999, 0.00004, 0.5, 1, 9], np.float32))

    assert np.array_equal(found * 32_767, [-32_767, -32_767, -32_766, 1, 16_383, 32_767, 32_767])


@pytest.mark.parametrize(
    ("count", "pieces"), [(1, 1), (WINDOW, 1), (WINDOW + HOP - 1, 1), (WINDOW + HOP, 2), (10**6, 3)]
)
def test_nothing_of_a_long_sound_is_cut_off(count: int, pieces: int) -> None:
    samples = np.arange(count, dtype=np.float32)

    found = windows(samples)

    assert len(found) == pieces
    assert set(np.concatenate(found)) >= set(samples)
    assert {log_mel(window, fusion=True).shape for window in found} == {(FRAMES, BANDS)}


@FUSION
def test_another_rate_gives_the_same_picture(fusion: bool) -> None:
    rate_hz = 44_100
    prepare = PrepareSound(fusion)
    low, high = (np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate) for rate in (rate_hz, 48_000))

    [first] = prepare(AudioSample(low.astype(np.float32), rate_hz))
    [second] = prepare(AudioSample(high.astype(np.float32), 48_000))

    assert np.abs(first - second).mean() < 1.0  # dB
    assert np.array_equal(first.mean(axis=0).argmax(), second.mean(axis=0).argmax())


def test_a_long_sound_is_the_mean_of_its_windows(tower: ClapTower) -> None:
    samples = sound(3, 2 * WINDOW)

    [whole, first, second] = heard(tower, samples, samples[:WINDOW], samples[WINDOW:])

    mean = first + second
    assert np.abs(whole - mean / np.linalg.norm(mean)).max() < 1e-5


def test_rows_are_those_of_transformers(tower: ClapTower, folder: Path) -> None:
    from transformers import ClapConfig, ClapModel

    network = ClapModel(ClapConfig.from_pretrained(folder)).eval()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    samples = sound(8, WINDOW)
    mels = torch.from_numpy(log_mel(round_trip(samples), fusion=True))[None, None]

    with torch.inference_mode():
        wanted = network.get_audio_features(mels, torch.zeros((1, 1), dtype=torch.bool))

    assert np.abs(heard(tower, samples) - wanted.pooler_output.numpy()).max() < 1e-5


def test_a_sound_is_the_same_in_any_batch(tower: ClapTower) -> None:
    """No row of a batch is taken for a long one, which the extractor of transformers does."""
    sounds = [sound(seed, 50_000 * (1 + seed)) for seed in range(5)]
    together = heard(tower, *sounds)

    for order in ([4, 2, 0, 1, 3], [3], [1, 0]):
        assert (
            np.abs(heard(tower, *(sounds[place] for place in order)) - together[order]).max() < 1e-5
        )


def test_the_parts_of_a_long_sound_are_seen_by_the_fusion(tower: ClapTower) -> None:
    samples = sound(5, 3 * WINDOW)

    rows = tower.encode_long([long_mels(samples, [0, 900, 1_900]), long_mels(samples, [9, 5, 1])])

    assert rows.shape == (2, tower.dim)
    assert rows.norm(dim=1).numpy() == pytest.approx(1.0, abs=1e-5)
    assert (rows[0] - rows[1]).abs().max() > 1e-4


def test_a_text_is_the_same_beside_a_longer_one(tower: ClapTower) -> None:
    short, long = "rain", "a dog barks and then a car passes by"

    alone, together = read(tower, short), read(tower, short, long)

    assert np.abs(alone[0] - together[0]).max() < 1e-5


def test_nothing_of_a_long_text_is_cut_off(tower: ClapTower) -> None:
    start = "thunder and rain " * 12

    first, second = read(tower, start + "over a city", start + "over a field")

    assert np.abs(first - second).max() > 1e-4


def test_marks_within_a_text_are_text(tower: ClapTower) -> None:
    assert len(tower.tokens.of("</s>")) > 3


def broken(folder: Path, copy: Path) -> dict[str, torch.Tensor]:
    """The folder once more, but for its weights, which are given back."""
    for file in folder.iterdir():
        if file.name != "model.safetensors":
            (copy / file.name).write_bytes(file.read_bytes())
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("key", "odd", "modalities"),
    [
        ("audio_projection.linear1.weight", "head.weight", BOTH),
        ("text_projection.linear1.weight", "text_model.more", ("audio",)),  # not loaded
    ],
)
def test_weights_that_do_not_fit_are_one_line(
    key: str, odd: str, modalities: Sequence[Modality], folder: Path, tmp_path: Path
) -> None:
    state = broken(folder, tmp_path)
    cases: dict[str, dict[str, torch.Tensor]] = {
        f"lacks '{key}'": {name: one for name, one in state.items() if name != key},
        f"has '{odd}' too much": {**state, odd: torch.ones(2)},
        f"holds '{key}' as 2x2": {**state, key: torch.ones(2, 2)},
    }

    for message, wrong in cases.items():
        save_file(wrong, tmp_path / "model.safetensors")
        with pytest.raises(WeightsError, match=message) as raised:
            ClapTower(tmp_path, modalities=modalities)
        assert "\n" not in str(raised.value)


def test_constant_buffers_may_be_stored_or_not(folder: Path, tmp_path: Path) -> None:
    state = broken(folder, tmp_path)
    for name in ("position_ids", "token_type_ids"):
        del state[f"text_model.embeddings.{name}"]
    save_file(state, tmp_path / "model.safetensors")

    row = read(ClapTower(tmp_path), "a bell")

    assert np.array_equal(row, read(ClapTower(folder), "a bell"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "clip"}, "of the kind 'clip', not 'clap'"),
        ({"audio_config": {"num_mel_bins": 128}}, "reads 128 mel bands, not 64"),
        ({"text_config": {"hidden_size": "wide"}}, "describes no network"),
    ],
)
def test_settings_of_another_network_are_one_line(
    folder: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    save_file(broken(folder, tmp_path), tmp_path / "model.safetensors")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}), "utf-8")

    with pytest.raises(WeightsError, match=message) as raised:
        ClapTower(tmp_path)

    assert "\n" not in str(raised.value)


def test_half_precision_points_the_same_way(tower: ClapTower) -> None:
    prepared: list[Array] = [
        tower.preparer("audio")(AudioSample(sound(seed, WINDOW), 48_000)) for seed in (1, 2)
    ]
    texts = [text_bytes(TextSample(text)) for text in ("a dog barks", "rain on a roof")]

    with torch.inference_mode():
        full = torch.cat([tower.encode("audio", prepared), tower.encode("text", texts)])
        with torch.autocast("cpu", torch.bfloat16):
            half = torch.cat([tower.encode("audio", prepared), tower.encode("text", texts)])

    assert (full * half).sum(dim=1).min() >= 0.999


def test_for_sounds_alone_nothing_of_the_half_that_reads_is_loaded(
    tower: ClapTower, folder: Path, tmp_path: Path
) -> None:
    state = broken(folder, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    save_file(state, tmp_path / "model.safetensors")

    deaf_to_words = ClapTower(tmp_path, modalities=["audio"])

    kept = {key for key, _ in deaf_to_words._network.named_parameters()}
    assert not [key for key in kept if key.startswith("text_")]
    short = sound(3, WINDOW // 3)
    assert np.array_equal(heard(deaf_to_words, short), heard(tower, short))
