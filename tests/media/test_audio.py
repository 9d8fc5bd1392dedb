"""Sounds: the grid of windows, rates, channels, limits, damage."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unisearch.errors import Unreadable
from unisearch.media.read import read
from unisearch.media.windows import windows
from unisearch.records import AudioSample, Part, Reading, ReadOptions

Encode = Callable[..., Path]
RATE = 16_000


def tone(seconds: float, rate_hz: int, pitch_hz: float = 440.0) -> np.ndarray:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32)


def write_wav(path: Path, channels: np.ndarray, rate_hz: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((channels.T * 32767).astype("<i2").tobytes())
    return path


def samples(part: Part) -> np.ndarray:
    assert isinstance(part.sample, AudioSample)
    assert part.sample.rate_hz == RATE
    assert part.sample.samples.dtype == np.float32
    return part.sample.samples


def spans(reading: Reading) -> list[tuple[float | None, float | None]]:
    return [(part.start_s, part.end_s) for part in reading.parts]


@pytest.mark.parametrize(
    ("seconds", "grid"),
    [
        (2.5, [(0, 2.5)]),
        (10, [(0, 10)]),
        (10.5, [(0, 10), (5, 10.5)]),
        (15, [(0, 10), (5, 15)]),
        (15.5, [(0, 10), (5, 15), (10, 15.5)]),
        (20, [(0, 10), (5, 15), (10, 20)]),
    ],
)
def test_a_sound_is_cut_into_windows_of_ten_seconds_every_five(
    seconds: float, grid: list[tuple[float, float]], tmp_path: Path
) -> None:
    path = write_wav(tmp_path / "a.wav", tone(seconds, RATE)[None], RATE)

    reading = read(path)

    assert spans(reading) == grid
    assert reading.facts == {"duration_s": seconds, "rate_hz": RATE, "channels": 1}
    assert reading.truncated_at_s is None


@pytest.mark.parametrize("length", [1, 9, 10, 11, 14, 15, 16, 29, 30, 31, 47])
@pytest.mark.parametrize("piece", [1, 3, 10, 100])
def test_windows_hold_every_sample_in_its_place_whatever_the_pieces(
    length: int, piece: int
) -> None:
    sound = np.arange(length, dtype=np.float32)
    pieces = [sound[start : start + piece] for start in range(0, length, piece)]

    cut = list(windows(pieces, rate_hz=1))

    reach = 0
    for start, window in cut:
        np.testing.assert_array_equal(window, sound[start : start + 10])
        assert start + len(window) > reach  # each one adds something
        reach = start + len(window)
    assert [start for start, _ in cut] == list(range(0, 5 * len(cut), 5))
    assert reach == length


def test_channels_are_averaged_and_the_rate_is_changed_once(tmp_path: Path) -> None:
    left, right = tone(2, 44_100, 440), tone(2, 44_100, 1000)
    path = write_wav(tmp_path / "a.wav", np.stack([left, right]), 44_100)

    reading = read(path)
    [part] = reading.parts

    expected = (tone(2, RATE, 440) + tone(2, RATE, 1000)) / 2
    np.testing.assert_allclose(samples(part)[400:-400], expected[400:-400], atol=0.01)
    assert reading.facts == {"duration_s": 2.0, "rate_hz": 44_100, "channels": 2}


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".m4a", ".wma", ".aiff"])
def test_a_tone_keeps_its_pitch_in_every_format(
    suffix: str, tmp_path: Path, write_sound: Encode
) -> None:
    path = write_sound(tmp_path / f"a{suffix}", tone(2, 48_000, 1000), 48_000)

    [part] = read(path).parts

    heard = samples(part)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * RATE / len(heard) == pytest.approx(1000, abs=2)
    assert len(heard) / RATE == pytest.approx(2, abs=0.15)  # encoders pad
    assert np.abs(heard).max() <= 1


def test_tags_are_words_to_find(tmp_path: Path, write_sound: Encode) -> None:
    tags = {"title": "Morning birds", "artist": "Ada"}
    path = write_sound(tmp_path / "a.flac", tone(1, 48_000), 48_000, tags)

    assert read(path).words == "Morning birds Ada"


def test_a_sound_over_the_limit_ends_there_and_says_so(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(30, RATE)[None], RATE)
    options = ReadOptions(max_audio_hours=18 / 3600)

    reading = read(path, options)

    assert spans(reading) == [(0, 10), (5, 15), (10, 18)]
    assert reading.truncated_at_s == 18
    assert reading.facts["duration_s"] == 18


def test_a_sound_exactly_as_long_as_the_limit_is_whole(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(18, RATE)[None], RATE)

    reading = read(path, ReadOptions(max_audio_hours=18 / 3600))

    assert spans(reading)[-1] == (10, 18)
    assert reading.truncated_at_s is None


def test_a_long_sound_is_decoded_while_one_walks(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(60, RATE)[None], RATE)

    reading = read(path)
    parts = iter(reading.parts)
    next(parts)

    assert reading.facts["duration_s"] < 30
    assert len(list(parts)) == 10
    assert reading.facts["duration_s"] == 60


def test_a_header_that_lies_about_the_length_is_not_believed(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3, RATE)[None], RATE)
    content = bytearray(path.read_bytes())
    content[40:44] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(content)

    reading = read(path)

    assert spans(reading) == [(0, 3)]
    assert reading.facts["duration_s"] == 3


def test_a_sound_without_samples_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.zeros((1, 0), dtype=np.float32), RATE)

    with pytest.raises(Unreadable, match="no samples") as caught:
        read(path)

    assert caught.value.kind == "corrupt"


def test_a_sound_that_ends_early_is_read_up_to_there(tmp_path: Path, write_sound: Encode) -> None:
    path = write_sound(tmp_path / "a.mp3", tone(20, 48_000), 48_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    reading = read(path)
    last = list(reading.parts)[-1]

    assert last.end_s == pytest.approx(10, abs=0.5)


def test_damage_in_the_middle_is_skipped(tmp_path: Path, write_sound: Encode) -> None:
    path = write_sound(tmp_path / "a.mp3", tone(20, 48_000), 48_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)

    parts = list(read(path).parts)

    assert parts[-1].end_s == pytest.approx(20, abs=1)
    assert all(np.isfinite(samples(part)).all() for part in parts)


def test_a_damaged_page_of_an_ogg_costs_no_more_than_what_follows(
    tmp_path: Path, write_sound: Encode
) -> None:
    path = write_sound(tmp_path / "a.ogg", tone(8, 48_000), 48_000)
    whole = path.read_bytes()

    for place in range(len(whole) // 2, len(whole), len(whole) // 40):
        content = bytearray(whole)
        content[place] ^= 0x55
        path.write_bytes(content)
        [part] = read(path).parts
        assert part.end_s is not None
        assert part.end_s > 2


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
    ],
    ids=["hls", "concat"],
)
def test_a_playlist_under_a_sounds_name_opens_nothing(
    playlist: str, tmp_path: Path, write_sound: Encode
) -> None:
    target = write_sound(tmp_path / "secret.mp3", tone(1, 48_000), 48_000)
    path = tmp_path / "a.mp3"
    path.write_text(playlist.format(target=target))

    with pytest.raises(Unreadable) as caught:
        read(path)

    assert caught.value.kind == "corrupt"


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1, RATE)[None], RATE)
    content = bytearray(path.read_bytes())
    content[20:22] = (3).to_bytes(2, "little")  # floating point
    content[28:36] = (RATE * 4).to_bytes(4, "little") + b"\x04\0" + b"\x20\0"
    values = np.frombuffer(bytes(content[44 : 44 + RATE * 2]), dtype="<f4").copy()
    values[:] = 0.25
    values[100:200] = np.nan
    path.write_bytes(bytes(content[:44]) + values.tobytes())

    [part] = read(path).parts

    np.testing.assert_allclose(samples(part)[300:400], 0.25, atol=1e-3)
    np.testing.assert_allclose(samples(part)[120:180], 0, atol=1e-3)


@pytest.mark.parametrize(("count", "said"), [(1, "1 sample"), (2, "2 samples")])
def test_a_sound_too_short_for_the_rate_is_not_told_to_be_empty(
    count: int, said: str, tmp_path: Path, write_sound: Encode
) -> None:
    path = write_sound(tmp_path / "a.wav", np.zeros(count, np.float32), 96_000)

    with pytest.raises(Unreadable, match=f"the sound is too short: {said} at 96,000 Hz"):
        read(path)


def test_a_sound_that_is_damaged_throughout_is_not_told_to_be_empty(
    tmp_path: Path, write_sound: Encode
) -> None:
    path = write_sound(tmp_path / "a.flac", np.zeros(16_000, np.float32), 16_000)
    content = path.read_bytes()
    frames = content.index(b"\xff\xf8")
    path.write_bytes(content[:frames] + b"\xaa" * (len(content) - frames))

    with pytest.raises(Unreadable, match="all of the sound is damaged"):
        read(path)
