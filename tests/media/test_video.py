"""Videos as shots and windows of sound: with their times, as far as they can be read, in bounds."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.films import Scene, write_film
from unisearch.errors import Unreadable
from unisearch.media import frames
from unisearch.media.read import is_wanted, read
from unisearch.records import AudioSample, ImageSample, Part, Reading, ReadOptions

RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 160, 40)
TWO = (Scene(6.0, RED, 440.0), Scene(6.0, BLUE, 1_500.0))


def walked(path: Path, options: ReadOptions | None = None) -> tuple[Reading, list[Part]]:
    reading = read(path, options or ReadOptions())
    return reading, list(reading.parts)


def outcome(path: Path) -> tuple[Unreadable | None, list[Part]]:
    """Why it cannot be read, if so, and its parts."""
    try:
        return None, walked(path)[1]
    except Unreadable as error:
        return error, []


def times(parts: list[Part], modality: str) -> list[tuple[float, float]]:
    return [
        (round(part.start_s or 0.0, 2), round(part.end_s or 0.0, 2))
        for part in parts
        if part.sample.modality == modality
    ]


def ground(part: Part) -> tuple[int, ...]:
    """The colour at the lower right corner of a shot."""
    assert isinstance(part.sample, ImageSample)
    return tuple(part.sample.pixels[-4, -4].tolist())


def test_two_scenes_are_two_shots_then_windows_of_their_sound(tmp_path: Path) -> None:
    reading, parts = walked(write_film(tmp_path / "a.mkv", TWO))

    assert reading.modality == "video"
    assert times(parts, "video") == [(0, 6), (6, 12)]
    assert times(parts, "audio") == [(0, 10), (5, 12)]
    assert [part.sample.modality for part in parts] == ["video"] * 2 + ["audio"] * 2
    for part, color in zip(parts, (RED, BLUE), strict=False):
        assert ground(part) == pytest.approx(color, abs=12)
    assert reading.facts == {
        "duration_s": 12.0, "width": 96, "height": 64, "rate_hz": 48_000, "channels": 1
    }  # fmt: skip


def test_a_window_of_sound_sounds_as_its_scene_does(tmp_path: Path) -> None:
    scenes = [Scene(10.0, RED, 440.0), Scene(10.0, BLUE, 1_500.0)]
    _, parts = walked(write_film(tmp_path / "a.mp4", scenes))

    heard = [part.sample for part in parts if isinstance(part.sample, AudioSample)]
    pitches = [
        float(np.abs(np.fft.rfft(one.samples)).argmax() * one.rate_hz / len(one.samples))
        for one in (heard[0], heard[2])
    ]

    assert pitches == pytest.approx([440, 1_500], abs=2)


def test_a_long_scene_is_cut_where_it_changes_and_stays_one_where_it_stands(
    tmp_path: Path,
) -> None:
    moving, standing = tmp_path / "moving.mkv", tmp_path / "standing.mkv"
    steps = [Scene(8.0, (60 + 14 * step, 60, 60)) for step in range(9)]  # too alike for a cut
    write_film(moving, steps, sound=False, keys_every=10)
    write_film(standing, [Scene(72.0, BLUE, disc=False)], sound=False, keys_every=10)

    shots, slide = (times(walked(path)[1], "video") for path in (moving, standing))

    assert [end - start for start, end in shots] == [30, 30, 12]
    assert all(one[1] == other[0] for one, other in pairwise(shots))
    assert slide == [(0, 72)]


@pytest.mark.parametrize("keys_every", [1, 7, 40, 1_000])
def test_scenes_are_found_however_far_apart_the_key_frames_are(
    tmp_path: Path, keys_every: int
) -> None:
    path = write_film(tmp_path / "a.mkv", TWO, sound=False, keys_every=keys_every)

    found = times(walked(path)[1], "video")

    assert len(found) == 2
    assert found[0][1] == pytest.approx(6.0, abs=1.0)
    assert found[1][1] == 12.0


def test_pictures_between_key_frames_are_passed_over_when_that_costs_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "a.mkv", TWO, sound=False, keys_every=1_000)
    monkeypatch.setattr(frames, "MOST_PASSED_PIXELS", 2.5 * 10 * 96 * 64)  # 2.5 s

    _, parts = walked(path)

    assert times(parts, "video") == [(0, 12)]
    assert ground(parts[0]) == pytest.approx(RED, abs=12)


def test_a_phone_held_upright_films_upright(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", TWO, sound=False)
    content = bytearray(path.read_bytes())
    # Version 0 of the track header box, ISO/IEC 14496-12, 8.3.2: the matrix stands at byte 40.
    place = content.index(b"tkhd") + 4 + 40
    one = 0x10000
    content[place : place + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(content)

    reading, parts = walked(path)

    assert isinstance(parts[0].sample, ImageSample)
    pixels = parts[0].sample.pixels
    assert pixels.shape == (96, 64, 3)
    assert (reading.facts["width"], reading.facts["height"]) == (64, 96)
    assert pixels[2, -3] == pytest.approx(255, abs=12)  # the corner turned clockwise
    assert pixels[2, 2] == pytest.approx(RED, abs=12)


def test_pictures_are_no_larger_than_needed(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", sound=False, size=(640, 360))

    _, parts = walked(path, ReadOptions(image_min_side=90))
    reading, _ = walked(path, ReadOptions(image_min_side=90, preview_side=320))

    assert isinstance(parts[0].sample, ImageSample)
    assert parts[0].sample.pixels.shape == (90, 160, 3)
    assert isinstance(reading.preview, ImageSample)
    assert reading.preview.pixels.shape == (180, 320, 3)


def test_a_sound_that_begins_later_keeps_its_place(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", [Scene(6.0, RED, 440.0)], delay_s=2.0)

    _, parts = walked(path)

    assert times(parts, "audio") == [(pytest.approx(2.0, abs=0.1), pytest.approx(8.0, abs=0.1))]


def test_silence_is_no_sound(tmp_path: Path) -> None:
    scenes = [Scene(21.0, RED), Scene(4.0, BLUE, 440.0)]

    _, parts = walked(write_film(tmp_path / "a.mkv", scenes))
    _, silent = walked(write_film(tmp_path / "b.mkv", [Scene(3.0)]))

    assert times(parts, "audio") == [(15, 25)]
    assert times(silent, "audio") == []
    assert times(silent, "video") == [(0, 3)]


def test_a_video_without_pictures_is_a_sound(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", [Scene(3.0, RED, 440.0)], pictures=False)

    reading, parts = walked(path)

    assert reading.modality == "audio"
    assert times(parts, "audio") == [(0, pytest.approx(3.0, abs=0.1))]


def test_what_the_file_says_of_itself_is_found(tmp_path: Path) -> None:
    tags = {"title": "Two scenes", "comment": "filmed at the lake"}

    reading, _ = walked(write_film(tmp_path / "a.mkv", TWO, tags=tags))

    assert reading.words == "Two scenes filmed at the lake"
    assert reading.labels["title"] == ("Two scenes",)


def test_a_video_over_the_limit_is_read_up_to_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", TWO)

    reading, parts = walked(path, ReadOptions(max_audio_hours=8 / 3600))

    assert times(parts, "video") == [(0, 6), (6, 8)]
    assert times(parts, "audio") == [(0, 8)]
    assert reading.truncated_at_s == pytest.approx(8)
    assert reading.facts["duration_s"] == pytest.approx(8)


def test_frames_over_the_limit_of_pixels_are_refused(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv")

    with pytest.raises(Unreadable, match="96 x 64 pixels, the limit is 5,000") as caught:
        walked(path, ReadOptions(max_pixels=5_000))

    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".ts", ".mpg", ".webm"])
def test_a_video_that_ends_early_is_read_up_to_there(tmp_path: Path, suffix: str) -> None:
    path = write_film(tmp_path / f"a{suffix}", [*TWO, Scene(6.0, GREEN, 700.0)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 45 // 100])

    reading, parts = walked(path)

    shots = times(parts, "video")
    assert shots[0] == (0, pytest.approx(6.0, abs=0.1))
    assert len(shots) == 2
    assert shots[-1][1] < 11
    assert reading.facts["duration_s"] < 11


def test_an_mp4_that_ends_before_its_index_is_one_line(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", TWO)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(Unreadable, match="damaged or not a video") as caught:
        walked(path)

    assert caught.value.kind == "corrupt"
    assert "\n" not in str(caught.value)


def test_what_remains_of_an_ogg_video_is_not_called_a_sound(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.ogv", TWO)
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(Unreadable) as caught:
        walked(path)

    assert "Ogg sound" not in caught.value.reason


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi", ".ts", ".wmv"])
@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes_are_a_reason_or_left_out(tmp_path: Path, suffix: str, seed: int) -> None:
    path = write_film(tmp_path / f"a{suffix}", [Scene(2.0, RED, 440.0), Scene(2.0, BLUE, 900.0)])
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    chance = np.random.default_rng(seed)
    places = chance.integers(0, len(content), 10 ** (seed + 1))
    content[places] = chance.integers(0, 256, len(places))
    path.write_bytes(content.tobytes())

    error, parts = outcome(path)

    if error is None:
        assert parts
        assert all(0 <= (part.start_s or 0.0) <= (part.end_s or 0.0) for part in parts)
    else:
        assert error.kind in ("corrupt", "unsupported", "too_large")
        assert "\n" not in str(error)


def test_a_header_that_promises_days_is_not_believed(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", TWO, sound=False)
    content = bytearray(path.read_bytes())
    for box, place in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)):
        at = content.index(box) + 4 + place
        content[at : at + 4] = struct.pack(">I", 2**31 - 1)
    path.write_bytes(content)

    reading, parts = walked(path)

    assert times(parts, "video") == [(0, 6), (6, 12)]
    assert reading.facts["duration_s"] == 12.0


def test_a_container_without_streams_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    whole = write_film(tmp_path / "b.mp4").read_bytes()
    path.write_bytes(whole[: struct.unpack(">I", whole[:4])[0]] + struct.pack(">I4s", 8, b"moov"))

    with pytest.raises(Unreadable) as caught:
        walked(path)

    assert caught.value.kind == "corrupt"


def test_the_cover_of_a_record_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write_film(path, [Scene(2.0, RED, 440.0)], pictures=False)
    buffer = io.BytesIO()
    with av.open(str(path)) as sound, av.open(buffer, "w", format="mp4") as made:
        heard = made.add_stream_from_template(sound.streams.audio[0])
        cover = made.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        for packet in [*cover.encode(frame.reformat(format="yuvj420p")), *cover.encode(None)]:
            made.mux(packet)
        for packet in sound.demux(sound.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = heard
                made.mux(packet)
    (tmp_path / "b.mp4").write_bytes(buffer.getvalue())

    reading, parts = walked(tmp_path / "b.mp4")

    assert reading.modality == "audio"
    assert {part.sample.modality for part in parts} == {"audio"}


def test_a_playlist_under_the_name_of_a_video_is_not_followed(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    write_film(tmp_path / "real.ts")
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nreal.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(Unreadable) as caught:
        walked(path)

    assert caught.value.kind == "corrupt"


def test_typescript_is_no_video_and_a_transport_stream_is(tmp_path: Path) -> None:
    code, film = tmp_path / "index.ts", write_film(tmp_path / "film.ts")
    code.write_text("export const answer: number = 42;\n" * 20)
    locked = tmp_path / "gone.ts"

    assert [is_wanted(path) for path in (code, film, locked)] == [False, True, True]
    assert [is_wanted(Path(name)) for name in ("a.mp4", "a.png", "a.xyz1")] == [True, True, False]


def test_a_cut_between_scenes_of_the_same_colours_is_found(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 192, 108, "yuv420p", 10
        for second in range(12):
            if second % 4 == 0:  # a scene of 4 s: soft spots, the camera goes along them
                spots = chance.integers(0, 256, (6, 12, 3), dtype=np.uint8)
                wide = np.asarray(
                    Image.fromarray(spots).resize((260, 108), Image.Resampling.BICUBIC)
                )
            for tenth in range(10):
                left = (second % 4) * 10 + tenth
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(wide[:, left : left + 192]), format="rgb24"
                )
                made.mux(stream.encode(frame))
        made.mux(stream.encode(None))

    _, parts = walked(path)

    assert times(parts, "video") == [(0, 4), (4, 8), (8, 12)]
