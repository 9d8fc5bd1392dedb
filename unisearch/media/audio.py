"""Sounds in, windows of mono samples out, decoded as a stream."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from unisearch.errors import Unreadable, display
from unisearch.media.damage import Damage, broken
from unisearch.media.files import guarded, opened
from unisearch.media.signature import SOUND
from unisearch.media.tags import labels_of, words_of
from unisearch.media.windows import windows
from unisearch.records import AudioSample, Part, Reading, ReadOptions

logger = logging.getLogger(__name__)

#: The demuxers that may be tried. Playlists (hls, concat, …) are not among them: they open others.
DEMUXERS = "wav,w64,flac,mp3,ogg,mov,aac,aiff,asf,matroska,webm,caf,au"

#: Tags whose words are worth finding.
TAGS = (
    *("title", "artist", "album_artist", "composer", "performer", "album", "genre"),
    *("comment", "description", "synopsis", "keywords"),
)
_LABELS = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "composer", "performer"),
    "album": ("album",),
    "genre": ("genre",),
}

#: Their headers say all; looking further for a stream hidden in PCM costs 20 ms a file.
HEADER_FIRST = (".wav", ".aiff", ".aif", ".au", ".caf")

#: What FFmpeg raises for a sound whose coding it does not know.
_NOT_DECODED = (av.error.DecoderNotFoundError, av.error.PatchWelcomeError)
NO_DECODER = "its sound is coded in a way that nothing here decodes"

#: A stream whose packets are damaged this often in a row is given up.
MAX_DAMAGED = 100


def read_audio(path: Path, options: ReadOptions) -> Reading:
    """Windows of `options.audio_rate_hz` mono samples; the first is decoded before this returns.

    duration_s counts decoded samples, never the header's claim, so it and truncated_at_s are
    final only when the parts are walked through. A damaged packet is skipped, as players do,
    and what can be decoded counts.
    Raises Unreadable when nothing can be.
    """
    return read_sound(Sound(path, options))


def read_sound(sound: Sound) -> Reading:
    """As read_audio: the first window of the sound is decoded before this returns."""
    parts = sound.parts()
    first = next(parts, None)
    if first is None:
        raise broken(sound.path, sound.wanted, sound.why_empty())
    joined = itertools.chain([first], parts)
    sound.reading = Reading("audio", joined, sound.facts, sound.words, labels=sound.labels)
    sound.tell_truncation()
    return sound.reading


class Sound:
    """One sound while it is being decoded: what is known of it grows from part to part.

    wanted, demuxers: what the file should be, and what may take it apart
    delay_s: how long after its pictures the sound of a video begins
    """

    def __init__(
        self, path: Path, options: ReadOptions, wanted: str = SOUND, demuxers: str = DEMUXERS
    ) -> None:
        self.path = path
        self.wanted = wanted
        self.demuxers = demuxers
        self.delay_s = 0.0
        self.rate_hz = options.audio_rate_hz
        self.max_bytes = options.max_file_bytes
        self.max_samples = round(options.max_audio_hours * 3600 * self.rate_hz)
        self.facts: dict[str, float | int] = {}
        self.words = ""
        self.labels: dict[str, tuple[str, ...]] = {}
        self.truncated = False
        self.decoded = 0  # samples, before the rate is changed
        self.promised = False  # that there are samples: by the header or by a damaged packet
        self.reading: Reading | None = None

    def parts(self) -> Iterator[Part]:
        """The windows, with their times in the file; raises Unreadable."""
        with guarded(self.path, self.wanted):
            for start, samples in windows(self._limited(self._resampled()), self.rate_hz):
                end = start + len(samples)
                yield Part(
                    AudioSample(samples, self.rate_hz), start / self.rate_hz, end / self.rate_hz
                )

    def why_empty(self) -> str:
        """The reason for a sound that gave no window."""
        if self.decoded:
            held = f"{self.decoded:,} sample{'s' * (self.decoded > 1)}"
            return f"the sound is too short: {held} at {self.facts['rate_hz']:,} Hz"
        return "all of the sound is damaged" if self.promised else "the sound has no samples"

    def tell_truncation(self) -> None:
        """Writes into the Reading, already handed out, where the limit cut the sound."""
        if self.truncated and self.reading is not None:
            object.__setattr__(self.reading, "truncated_at_s", self.max_samples / self.rate_hz)

    def _limited(self, chunks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        total = 0
        for chunk in chunks:
            allowed = self.max_samples - total
            self.truncated = len(chunk) > allowed
            total += min(len(chunk), allowed)
            self.facts["duration_s"] = total / self.rate_hz
            yield chunk[:allowed]
            if self.truncated:
                self.tell_truncation()
                return

    def _resampled(self) -> Iterator[NDArray[np.float32]]:
        """Mono pieces at the wanted rate; a stream may change its own rate on the way."""
        stream, rate = None, 0
        for samples, frame_rate in self._decoded():
            if stream is None or frame_rate != rate:
                if stream is not None:
                    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
                stream, rate = (
                    soxr.ResampleStream(frame_rate, self.rate_hz, 1, "float32"),
                    frame_rate,
                )
            # Filters overshoot: a sample stays in [-1, 1].
            yield np.clip(stream.resample_chunk(samples), -1.0, 1.0)
        if stream is not None:
            yield np.clip(
                stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True), -1.0, 1.0
            )

    def _decoded(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Pieces of about a second, mono, and their rates in Hz."""
        settings = {"protocol_whitelist": "file", "format_whitelist": self.demuxers}
        if self.path.suffix.lower() in HEADER_FIRST:
            settings["probesize"] = "65536"
        # PyAV gets an open file, not a name: a name could be an address or hold any bytes.
        with opened(self.path, self.max_bytes) as file, ExitStack() as held:
            with in_our_words(self.path, "no known sound format, or its header is damaged"):
                opening = av.open(file, options=settings, metadata_errors="replace")
                container = held.enter_context(opening)
            if not container.streams.audio:
                raise broken(self.path, self.wanted, "the file has no sound in it")
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise Unreadable(self.path, "unsupported", NO_DECODER)
            self.facts |= {"rate_hz": stream.rate, "channels": stream.channels}
            self.promised = bool(stream.duration)
            self.delay_s = _delay(container, stream)
            self.words, self.labels = tags_of(dict(container.metadata) | dict(stream.metadata))
            with in_our_words(self.path, "its data is damaged"):
                yield from batched(
                    (mono(frame), frame.sample_rate) for frame in self._frames(container, stream)
                )

    def _packets(self, container: Any, stream: Any) -> Iterator[Any]:
        """The packets up to the end, or up to where the container cannot be followed further."""
        packets = container.demux(stream)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except (av.error.EOFError, av.error.InvalidDataError):
                logger.warning("%s: damaged sound: read up to the damage", display(self.path))
                return

    def _frames(self, container: Any, stream: Any) -> Iterator[AudioFrame]:
        in_a_row = 0
        for packet in self._packets(container, stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                self.promised, in_a_row = True, in_a_row + 1
                if in_a_row == 1:
                    logger.warning("%s: damaged sound: a piece left out", display(self.path))
                if in_a_row > MAX_DAMAGED:
                    return
                continue
            in_a_row = 0 if frames else in_a_row
            self.decoded += sum(frame.samples for frame in frames)
            yield from frames


@contextmanager
def in_our_words(path: Path, reason: str, no_decoder: str = NO_DECODER) -> Iterator[None]:
    """FFmpeg tells damage by numbers of the system, as if the disk had failed or access."""
    try:
        yield
    except _NOT_DECODED as error:
        raise Unreadable(path, "unsupported", no_decoder) from error
    except av.error.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise Damage(reason) from error


def _delay(container: Any, stream: Any) -> float:
    """Seconds from the first of all streams to this one."""
    if container.start_time is None or stream.start_time is None:
        return 0.0
    return max(0.0, float(stream.start_time * stream.time_base - container.start_time / 1e6))


def mono(frame: AudioFrame) -> NDArray[np.float32]:
    """The mean of the channels, (n,) in [-1, 1] for integers; floats as they are."""
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, frame.layout.nb_channels).T
    if array.dtype == np.uint8:
        array = array.astype(np.float32) / 128.0 - 1.0
    elif array.dtype.kind == "i":
        array = array.astype(np.float32) / -float(np.iinfo(str(array.dtype)).min)
    mixed: NDArray[np.float32]
    mixed = array[0] if len(array) == 1 else array.mean(axis=0, dtype=np.float32)
    return mixed.astype(np.float32, copy=False)


def batched(
    frames: Iterable[tuple[NDArray[np.float32], int]],
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """The frames joined to about a second each, for they are short and a call costs the same.

    What is not a number becomes silence; everything stays in [-1, 1].
    """
    held: list[NDArray[np.float32]] = []
    length = rate = 0
    for samples, frame_rate in frames:
        if held and (length >= rate or frame_rate != rate):
            yield _clean(held), rate
            held, length = [], 0
        if len(samples):
            held.append(samples)
            length, rate = length + len(samples), frame_rate
    if held:
        yield _clean(held), rate


def _clean(pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    joined = np.nan_to_num(np.concatenate(pieces), nan=0.0, posinf=0.0, neginf=0.0)
    clipped: NDArray[np.float32] = np.clip(joined, -1.0, 1.0)
    return clipped


def tags_of(found: dict[str, str]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """(words, labels) of a container's tags, which are named alike for all formats by FFmpeg."""
    lower = {key.lower(): value for key, value in found.items()}
    labels = {name: [lower.get(tag) for tag in tags] for name, tags in _LABELS.items()}
    return words_of(lower.get(tag) for tag in TAGS), labels_of(labels)
