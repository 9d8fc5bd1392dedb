"""The pictures of a video: where they are, and some of them, upright and small."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from unisearch.errors import Unreadable, display
from unisearch.media.moments import Run, moments
from unisearch.media.shots import Frame
from unisearch.records import ImageSample, ReadOptions

logger = logging.getLogger(__name__)

#: Pixels that may be decoded on the way to moments between key frames: 2,000 frames of full HD,
#: some ten seconds of one core.
MOST_PASSED_PIXELS = 4e9
#: The lines from which on players take colours without a mark for those of HD (ITU-R BT.709).
HD_LINES = 720
#: Pictures that begin this soon begin with the file.
LATE_S = 0.5
#: So far behind a place that was looked for nothing of it comes any more.
FAR_S = 10.0

#: What holds for all of a video; whatever else FFmpeg raises is damage at one place.
_OF_ALL = (MemoryError, av.error.DecoderNotFoundError, av.error.PatchWelcomeError)


def pictures_of(container: Any) -> Any | None:
    """The stream of moving pictures, None without one; the cover of a record is none."""
    moving = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    return moving[0] if moving else None


class Film:
    """The frames of one stream of an open container.

    end_s: where the last frame ends: never the header's claim
    """

    def __init__(self, path: Path, container: Any, stream: Any, options: ReadOptions) -> None:
        self._path = path
        self._container = container
        self._stream = stream
        self._codec = stream.codec_context
        self._codec.thread_count = 1  # several files are decoded at a time
        self._max_pixels = options.max_pixels
        self._min_side = options.image_min_side
        self._reformatter = VideoReformatter()
        self._tick_s = float(stream.time_base)
        self._start_s = _start_of(container, stream)
        self._keys: list[float] = []  # seconds of the frames that are coded without others
        self._places: dict[float, int] = {}  # what to seek for to get to them
        self._has_keys = False  # otherwise decoding starts anywhere, and gets better
        self._told = False
        self.end_s = 0.0
        self._check_pixels(self._codec.width, self._codec.height)
        self._walk()

    @property
    def start_s(self) -> float:
        """When the first frame is shown, in seconds of the file; 0 for a start that is not seen."""
        first = self._keys[0] if self._keys else 0.0
        return first if first > LATE_S else 0.0

    def frames(self, until_s: float) -> Iterator[Frame]:
        """Distinct frames, about one in each step; those that are damaged are left out."""
        if not self._keys:
            return
        last = -np.inf
        passed_s = MOST_PASSED_PIXELS / max(self._rate * self._codec.width * self._codec.height, 1)
        for run in moments(self._keys, min(self.end_s, until_s), passed_s):
            try:
                for frame, time_s in self._run(run):
                    if time_s > last:
                        last = time_s
                        yield Frame(max(time_s, 0.0), self._pixels(frame, self._min_side))
            except av.error.FFmpegError as error:
                self._tell_damage("a piece left out", error)

    def still(self, time_s: float, side: int) -> ImageSample | None:
        """The key frame before that time, its long side at about `side` px; None if damaged."""
        key = self._keys[max(0, bisect_right(self._keys, time_s) - 1)] if self._keys else None
        if key is None:
            return None
        try:
            for frame, _ in self._run(Run(key, (key,))):
                short, long = sorted((frame.width, frame.height))
                return ImageSample(self._pixels(frame, max(1, side * short // long)))
        except av.error.FFmpegError as error:
            self._tell_damage("no preview", error)
        return None

    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as the pictures lie in the file."""
        return self._codec.width, self._codec.height

    def _walk(self) -> None:
        """Find out from the packets, without decoding them, what is there."""
        packets = self._container.demux(self._stream)
        count = 0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                self._tell_damage("read up to the damage", error)
                break
            time_s = self._time_of(packet)
            if time_s is None or not packet.size:
                continue
            count += 1
            length = (packet.duration or 0) * self._tick_s
            self.end_s = max(self.end_s, time_s + length)
            if packet.is_keyframe or count == 1:
                # Most containers are searched by the time of decoding, which is the earlier one.
                place = packet.pts if packet.dts is None else packet.dts
                if packet.is_keyframe and not self._has_keys:
                    self._has_keys, self._places = True, {}
                self._places[time_s] = place
        self._keys = sorted(self._places)
        self._rate = count / max(self.end_s - self.start_s, 1e-3)

    def _run(self, run: Run) -> Iterator[tuple[VideoFrame, float]]:
        """The frames at the moments of a run, or the next ones behind them, with their times."""
        alone = run.moments == (run.key_s,)
        self._codec.skip_frame = "DEFAULT" if alone else "NONREF"
        self._container.seek(self._places[run.key_s], stream=self._stream)
        wanted = list(run.moments)
        for frame in self._decoded(self._from_key(run.key_s), alone):
            time_s = self._time_of(frame)
            if time_s is None or frame.is_corrupt or time_s < wanted[0] - self._tick_s:
                continue
            yield frame, time_s
            wanted = wanted[bisect_left(wanted, time_s + self._tick_s) :]
            if not wanted:
                return

    def _decoded(self, packets: Iterator[Any], alone: bool) -> Iterator[VideoFrame]:
        """Frames of the packets; of the first one alone, where no frame behind it is needed."""
        for packet in packets:
            try:
                yield from self._codec.decode(packet)
            except av.error.FFmpegError as error:
                self._tell_damage("a piece left out", error)
            if alone:
                yield from self._codec.decode(None)  # it waits for others that might come before it
                return
        yield from self._codec.decode(None)

    def _from_key(self, key_s: float) -> Iterator[Any]:
        """The packets from that key on, or from the next one that can be found.

        A seek may end well before the key, and in a damaged file behind it. Of MPEG programs the
        times shift by a frame after a seek.
        """
        found = False
        for packet in self._container.demux(self._stream):
            time_s = self._time_of(packet)
            if time_s is None or not packet.size:
                continue
            starts = packet.is_keyframe or not self._has_keys
            found = found or (starts and time_s > key_s - self._tick_s)
            if found:
                yield packet
            elif time_s > key_s + FAR_S:
                return

    def _time_of(self, timed: Any) -> float | None:
        """Seconds from the start of the file."""
        stamp = timed.dts if timed.pts is None else timed.pts
        return None if stamp is None else stamp * self._tick_s - self._start_s

    def _pixels(self, frame: VideoFrame, min_side: int) -> NDArray[np.uint8]:
        """uint8 (h, w, 3), sRGB: upright, with square pixels, its short side not above min_side."""
        self._check_pixels(frame.width, frame.height)
        ratio = float(self._stream.sample_aspect_ratio or 1)
        width, height = frame.width * ratio, float(frame.height)
        scale = min(1.0, min_side / min(width, height))
        small = self._reformatter.reformat(
            frame,
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            format="rgb24",
            src_colorspace=_colors_of(frame),
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.BILINEAR,
        )
        turns = round(getattr(frame, "rotation", 0) / 90) % 4
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), turns))

    def _tell_damage(self, what: str, error: Exception) -> None:
        """A warning, for the first damage of many; raises what is none."""
        if isinstance(error, _OF_ALL):
            raise error
        level = logging.DEBUG if self._told else logging.WARNING
        logger.log(level, "%s: damaged video: %s", display(self._path), what)
        self._told = True

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            reason = f"{width} x {height} pixels, the limit is {self._max_pixels:,}"
            raise Unreadable(self._path, "too_large", reason)


def _start_of(container: Any, stream: Any) -> float:
    """Seconds that the first of the container's streams shows on its clock."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    return float((stream.start_time or 0) * stream.time_base)


def _colors_of(frame: VideoFrame) -> Colorspace | None:
    """The matrix of a frame whose file names none, as players take it; else None: the named one."""
    if frame.colorspace in {int(known) for known in Colorspace}:
        return None
    return Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
