"""Sounds are prepared as ImageBind's published code does."""

from __future__ import annotations

import wave
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tests.parity.sets import Fixture, fixtures, medium, worst
from tests.parity.sounds import sound as made_sound
from tests.spaces.tiny import randomise
from unisearch.spaces.towers.imagebind import sound
from unisearch.spaces.towers.imagebind.network import ImageBind
from unisearch.spaces.towers.imagebind.sizes import Sizes

Floats = NDArray[np.float32]
#: Where clips begin, by the names in the fixtures: as pinned, and as in pytorchvideo 0.1.5.
RULES = {"pinned": sound.STEPS, "pv015": sound.STEPS_OF_RELEASE}
#: Of the normalised log-mel: near silence the logarithm blows up roundings of single precision.
MOST, MEAN = 1e-2, 2e-5


@pytest.mark.parametrize("fixture", fixtures("imagebind/audio_preprocess*.npz"))
def test_sounds_are_prepared_as_published(fixture: Fixture) -> None:
    for name, samples, rate_hz in sounds_of(fixture):
        for rule, steps in RULES.items():
            if f"{name}/{rule}/mel" in fixture.arrays:
                wanted = fixture.arrays[f"{name}/{rule}/mel"].astype(np.float32)

                found = sound.clips(samples, rate_hz, steps)

                assert worst(found, wanted) <= MOST, (name, rule)
                rounding = np.spacing(np.float16(1)) if is_half(fixture, name, rule) else 0
                assert np.abs(found - wanted).mean() <= MEAN + rounding, (name, rule)


@pytest.mark.parametrize("fixture", fixtures("imagebind/audio_preprocess*.npz"))
def test_clips_begin_where_they_do_in_the_published_code(fixture: Fixture) -> None:
    for name, samples, rate_hz in sounds_of(fixture):
        duration_s = sound.resample(samples, rate_hz, sound.RATE_HZ).shape[1] / sound.RATE_HZ
        for rule, steps in RULES.items():
            if f"{name}/{rule}/clips" in fixture.arrays:
                wanted = fixture.arrays[f"{name}/{rule}/clips"]

                found = np.array(sound.starts(duration_s, steps))

                assert worst(np.stack([found, found + sound.CLIP_S], axis=1), wanted) <= 1e-9


@pytest.mark.parametrize("fixture", fixtures("imagebind/audio_preprocess*.npz"))
def test_the_tower_hears_the_same_in_them(fixture: Fixture) -> None:
    """Two blocks of the published width, random weights: what the roundings come to as vectors."""
    sizes = {"audio": Sizes(768, 2, 12, 3072, 1024, tokens=229)}
    network = ImageBind(sizes).eval()
    network.load_state_dict(randomise(network))
    for name, samples, rate_hz in sounds_of(fixture):
        if f"{name}/pinned/mel" in fixture.arrays:
            wanted = fixture.arrays[f"{name}/pinned/mel"].astype(np.float32)
            with torch.inference_mode():
                heard = [
                    functional.normalize(network.audio(torch.from_numpy(mel)), dim=-1).numpy()
                    for mel in (sound.clips(samples, rate_hz), wanted)
                ]

            half = is_half(fixture, name, "pinned")
            assert worst(*heard) <= (2e-5 if half else 1e-5), name


def sounds_of(fixture: Fixture) -> Iterator[tuple[str, Floats, int]]:
    """Names, samples (channels, n) and rates of the sounds of a fixture; at least one."""
    names = sorted({key.split("/")[0] for key in fixture.arrays})
    assert names
    for name in names:
        if f"{name}/made" in fixture.arrays:
            seed, count, rate_hz, channels = map(int, fixture.arrays[f"{name}/made"])
            made = [made_sound(seed + place, count, rate_hz) for place in range(channels)]
            yield name, np.stack(made), rate_hz
        else:
            yield name, *read(name)


def read(name: str) -> tuple[Floats, int]:
    """A WAV of 16 bits among the media that fixtures name."""
    with wave.open(str(medium(name))) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        samples = frames.reshape(-1, file.getnchannels()).T / np.float32(32_768)
        return samples.astype(np.float32), file.getframerate()


def is_half(fixture: Fixture, name: str, rule: str) -> bool:
    """Whether the fixture is rounded to half precision."""
    return bool(fixture.arrays[f"{name}/{rule}/mel"].dtype == np.float16)
