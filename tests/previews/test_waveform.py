from __future__ import annotations

import numpy as np
import pytest

from tests.previews.conftest import RATE_HZ, pixels, sketch
from unisearch.previews.make import PreviewOptions, make
from unisearch.previews.sound import BANDS, COLUMNS, SoundSketch

SECOND = np.arange(RATE_HZ) / RATE_HZ
OPTIONS = PreviewOptions(side=256)


def tone(hz: float, seconds: float, loud: float = 0.5) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def parts(sound: SoundSketch) -> tuple[np.ndarray, np.ndarray]:
    """Brightness of the waveform and of the spectrogram."""
    bright = pixels(make("audio", sound, OPTIONS)[0]).sum(axis=2)
    cut = round(0.17 * 256)
    return bright[:cut], bright[-round(0.25 * 256) :]


def test_silence_is_a_flat_line_above_darkness() -> None:
    wave, mel = parts(sketch(np.zeros(3 * RATE_HZ)))

    lit = np.flatnonzero((wave > 120).any(axis=1))
    assert 1 <= len(lit) <= 4
    assert np.ptp(wave, axis=1).max() < 20
    assert mel.max() < 120


@pytest.mark.parametrize("hz", [300.0, 1_000.0, 5_000.0])
def test_a_tone_is_one_line_in_the_spectrogram(hz: float) -> None:
    _, mel = parts(sketch(tone(hz, 3)))

    lit = np.flatnonzero(mel[:, 10:-10].mean(axis=1) > 300)
    assert 1 <= len(lit) <= 6
    assert np.ptp(lit) == len(lit) - 1


def test_a_higher_tone_stands_higher() -> None:
    rows = [parts(sketch(tone(hz, 2)))[1].mean(axis=1).argmax() for hz in (200, 1000, 6000)]

    assert rows == sorted(rows, reverse=True)
    assert len(set(rows)) == 3


def test_loud_and_quiet_stand_where_they_are_heard() -> None:
    wave, mel = parts(sketch(np.concatenate([tone(800, 2, 0.02), tone(800, 2, 0.8)])))

    tall = (wave > 150).sum(axis=0)
    assert tall[140:250].min() > 5 * tall[5:115].max()
    assert mel[:, 200].max() > mel[:, 50].max()


def test_a_click_in_an_hour_is_seen() -> None:
    sound = SoundSketch(8_000)
    for minute in range(60):
        samples = np.zeros(8_000 * 60, np.float32)
        if minute == 30:
            samples[1_000:1_020] = 0.9
        sound.add(samples)

    wave, _ = parts(sound)

    tall = (wave > 100).sum(axis=0)
    assert abs(int(tall.argmax()) - 128) <= 2
    assert tall.max() > 10


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.7, 16.5, 40.0, 333.0])
def test_a_sketch_knows_the_power_and_the_peaks_of_all_of_a_sound(seconds: float) -> None:
    samples = tone(440, seconds, 0.5)
    samples[len(samples) // 3] = -0.9

    low, high, power = sketch(samples).extremes()

    assert low.min() == pytest.approx(-0.9)
    assert high.max() == pytest.approx(samples.max(), abs=1e-6)
    if seconds > 0.5:
        assert power[: -len(power) // 50].mean() == pytest.approx(0.125, rel=0.05)
    assert len(sketch(samples).mel()) <= COLUMNS + 8


def test_pieces_of_any_length_give_the_same_as_the_whole() -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, 700_000).astype(np.float32)
    whole, pieces = sketch(samples), SoundSketch(RATE_HZ)
    for piece in np.split(samples, [1, 50, 20_000, 20_001, 400_000, 640_000]):
        pieces.add(piece)

    assert np.array_equal(whole.mel(), pieces.mel())
    assert np.array_equal(whole.extremes(), pieces.extremes())


def test_a_sine_of_full_scale_has_a_power_of_about_one_in_its_band() -> None:
    mel = sketch(np.sin(2 * np.pi * 1_000 * SECOND)).mel()

    assert mel.shape[1] == BANDS
    assert 0.5 < mel[4:-8].max(axis=1).min() <= mel.max() < 1.5


def test_a_long_sound_is_bounded_in_memory_and_costs_little() -> None:
    sound, piece = SoundSketch(RATE_HZ), np.zeros(RATE_HZ * 300, np.float32)
    sound.add(piece)  # five minutes
    taken = 0
    take = sound._take

    def count(columns: int) -> None:
        nonlocal taken
        taken += columns
        take(columns)

    sound._take = count  # type: ignore[method-assign]
    for _ in range(11):
        sound.add(piece)

    assert taken < 4 * COLUMNS
    assert len(sound._held) <= 2 * sound._width + sound._fft
