"""Small real videos for tests: scenes of one colour with a disc that moves, each with its tone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

FPS = 10
RATE_HZ = 48_000
SIZE = (96, 64)  # width, height

#: Container, coding of pictures and of sound by suffix.
_MADE_OF = {
    **dict.fromkeys((".mp4", ".m4v"), ("mp4", "mpeg4", "aac")),
    ".mov": ("mov", "mpeg4", "aac"),
    ".mkv": ("matroska", "mpeg4", "libopus"),
    ".webm": ("webm", "libvpx", "libopus"),
    ".avi": ("avi", "mpeg4", "mp2"),
    **dict.fromkeys((".mpg", ".mpeg"), ("mpeg", "mpeg1video", "mp2")),
    **dict.fromkeys((".ts", ".m2ts"), ("mpegts", "mpeg2video", "mp2")),
    ".wmv": ("asf", "wmv2", "wmav2"),
    ".flv": ("flv", "flv", "aac"),
    ".ogv": ("ogg", "libvpx", "libopus"),
    ".3gp": ("3gp", "mpeg4", "aac"),
}
#: What these codings can be played at.
_FPS = {"mpeg1video": 25}


@dataclass(frozen=True)
class Scene:
    """One colour with a disc that moves.

    seconds: how long; color: of the ground, sRGB; pitch_hz: of the sound, None is silence
    """

    seconds: float
    color: tuple[int, int, int] = (200, 40, 40)
    pitch_hz: float | None = None
    disc: bool = True


def write_film(
    path: Path,
    scenes: Sequence[Scene] = (Scene(3.0),),
    *,
    sound: bool = True,
    pictures: bool = True,
    size: tuple[int, int] = SIZE,
    keys_every: int = 5,
    delay_s: float = 0.0,
    rotation: int = 0,
    tags: dict[str, str] | None = None,
    coding: str | None = None,
) -> Path:
    """A video of these scenes, coded as the suffix says.

    keys_every: frames from one key frame to the next; delay_s: of the sound behind the pictures
    rotation: degrees counterclockwise by which a player turns the pictures
    """
    container_format, picture_coding, sound_coding = _MADE_OF[path.suffix.lower()]
    picture_coding = coding or picture_coding
    with path.open("wb") as file, av.open(file, "w", format=container_format) as container:
        container.metadata.update(tags or {})
        fps = _FPS.get(picture_coding, FPS)
        shown = container.add_stream(picture_coding, rate=fps) if pictures else None
        heard = container.add_stream(sound_coding, rate=RATE_HZ, layout="mono") if sound else None
        if heard is not None:
            heard.bit_rate = 128_000
        if shown is not None:
            shown.width, shown.height = size
            shown.pix_fmt, shown.gop_size, shown.bit_rate = "yuv420p", keys_every, 400_000
            shown.codec_context.max_b_frames = 0
            if rotation:
                shown.set_display_rotation(rotation)
        packets = []
        if shown is not None:
            packets += _coded_pictures(shown, frames(scenes, fps, size))
        if heard is not None:
            packets += _coded_sound(heard, tones(scenes), delay_s)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def frames(scenes: Sequence[Scene], fps: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """uint8 (h, w, 3) of each frame. A white square marks the corner at the top left."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    for scene in scenes:
        for number in range(round(scene.seconds * fps)):
            middle = width * (0.3 + 0.4 * number / (scene.seconds * fps))
            far = np.hypot(rows - height / 2, columns - middle)
            disc = (far < height / 5) & scene.disc
            pixels = np.where(disc[..., None], np.uint8(128), np.uint8(scene.color))
            pixels[: height // 6, : height // 6] = 255
            yield pixels


def tones(scenes: Sequence[Scene]) -> NDArray[np.float32]:
    """float32 (n,) at RATE_HZ."""
    pieces = []
    for scene in scenes:
        times = np.arange(round(scene.seconds * RATE_HZ)) / RATE_HZ
        loud = 0.0 if scene.pitch_hz is None else 0.5
        pieces.append(loud * np.sin(2 * np.pi * (scene.pitch_hz or 1.0) * times))
    return np.concatenate(pieces).astype(np.float32)


def _coded_pictures(stream: Any, pictures: Iterable[NDArray[np.uint8]]) -> Iterator[Any]:
    for number, pixels in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _coded_sound(stream: Any, samples: NDArray[np.float32], delay_s: float) -> Iterator[Any]:
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "fltp", "mono")
        frame.rate, frame.pts = RATE_HZ, round(delay_s * RATE_HZ) + start
        yield from stream.encode(frame)
    yield from stream.encode(None)
