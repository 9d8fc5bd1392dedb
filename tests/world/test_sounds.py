"""Sounds of the world: of the right form, the same for one seed, told apart by their spectra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import UnknownName
from unisearch.world.concepts import CONCEPTS, SOUNDING
from unisearch.world.sounds import MAKERS, make_sound

RATE_HZ = 16_000


def log_bands(samples: NDArray[np.float32], rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    """Mean and spread over time of 24 log-spaced bands in dB (48,), of the loudest at 0 dB."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::320] * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2  # (t, 513)
    edges = np.geomspace(60, 0.49 * rate_hz, 25)
    band = np.digitize(np.fft.rfftfreq(1024, 1 / rate_hz), edges)
    bands = np.stack([power[:, band == k].sum(axis=1) for k in range(1, 25)], axis=1)
    level = 10 * np.log10(bands / bands.max() + 1e-6)
    return np.concatenate([level.mean(axis=0), level.std(axis=0)])


def octave_levels(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """The power in the five octaves from 180 Hz to 5.8 kHz in dB, of the strongest at 0 dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    octave = np.floor(np.log2(np.fft.rfftfreq(samples.size, 1 / rate_hz) / 180 + 1e-9))
    levels = np.array([power[octave == k].sum() for k in range(5)])
    return 10 * np.log10(levels / levels.max())


def test_every_sounding_concept_has_a_maker_and_no_other_thing_has() -> None:
    sounding = {name for name, concept in CONCEPTS.items() if concept.sounding}

    makers = set(MAKERS)

    assert makers == sounding
    assert len(makers) >= 52


@pytest.mark.parametrize("concept", SOUNDING)
def test_a_sound_is_finite_in_range_audible_and_of_one_to_four_seconds(concept: str) -> None:
    for seed in range(4):
        samples = make_sound(concept, seed)

        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert np.isfinite(samples).all()
        assert RATE_HZ <= samples.size <= 4 * RATE_HZ
        assert 0.29 <= np.abs(samples).max() <= 0.96
        assert np.sqrt(np.mean(samples**2)) > 0.002
        assert abs(samples.mean()) < 0.02


@pytest.mark.parametrize("concept", ["dog", "train", "piano", "campfire"])
def test_the_same_seed_gives_the_same_sound_and_another_seed_another(concept: str) -> None:
    first = make_sound(concept, 3)

    again, other = make_sound(concept, 3), make_sound(concept, 4)

    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.allclose(first, other, atol=0.01)


@pytest.mark.parametrize("concept", ["cow", "bell", "car"])
def test_another_rate_keeps_the_length_in_seconds_and_the_spectrum(concept: str) -> None:
    low = make_sound(concept, 5, rate_hz=16_000)

    high = make_sound(concept, 5, rate_hz=32_000)

    assert high.size / 32_000 == pytest.approx(low.size / 16_000, rel=0.01)
    levels = [octave_levels(low, 16_000), octave_levels(high, 32_000)]  # noise and jitter differ
    assert np.abs(levels[0] - levels[1]).max() < 6


def test_an_unknown_or_silent_concept_is_refused_with_the_nearest_known_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'dog'"):
        make_sound("dogg", 0)

    with pytest.raises(UnknownName):
        make_sound("chair", 0)


def test_concepts_are_told_apart_by_their_mean_spectra() -> None:
    train = np.stack(
        [[log_bands(make_sound(name, seed)) for seed in range(5)] for name in SOUNDING]
    )
    held = np.stack([[log_bands(make_sound(name, seed)) for seed in (50, 51)] for name in SOUNDING])
    centres = train.mean(axis=1)  # (concepts, 48)

    distances = np.linalg.norm(held[:, :, None] - centres, axis=-1)  # (concepts, 2, concepts)
    right = distances.argmin(axis=-1) == np.arange(len(SOUNDING))[:, None]

    # Chance is 1.5 %; sounds of one concept differ (a purr is no meow), so it is far from all.
    assert right.mean() > 0.3
