"""Videos in, shots and windows of their sound out, decoded piece by piece."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from unisearch.errors import Unreadable, display
from unisearch.media.audio import Sound, in_our_words, read_sound, tags_of
from unisearch.media.damage import broken
from unisearch.media.files import guarded, opened
from unisearch.media.frames import Film, pictures_of
from unisearch.media.shots import Shot, shots
from unisearch.media.signature import VIDEO
from unisearch.records import AudioSample, ImageSample, Part, Reading, ReadOptions, ShotSample

logger = logging.getLogger(__name__)

#: The demuxers that may be tried. Playlists (hls, concat, …) are not among them: they open others.
DEMUXERS = "mov,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv,ogg"
NO_DECODER = "its pictures are coded in a way that nothing here decodes"
#: A window whose samples all are below this (-80 dB) is silent: there is nothing to find in it.
SILENCE = 1e-4

#: Where the picture of a preview is taken: films often begin and end in black.
STILL_AT = 1 / 3


def read_video(path: Path, options: ReadOptions) -> Reading:
    """Shots, each by its most typical frame, then windows of the sound, all with their seconds.

    The first is decoded before this returns. Sound without pictures is read as a sound is. What
    is damaged is left out, as players do, and what can be decoded counts; duration_s,
    truncated_at_s and the facts of the sound are final when the parts are walked through.
    Raises Unreadable when nothing can be decoded.
    """
    video = _Video(path, options)
    parts = video.parts()
    first = next(parts, None)
    if first is None and not video.has_pictures:
        return read_sound(Sound(path, options, VIDEO, DEMUXERS))
    if first is None:
        raise broken(path, VIDEO, "all of the video is damaged")
    joined = itertools.chain([first], parts)
    video.reading = Reading(
        "video",
        joined,
        video.facts,
        video.words,
        labels=video.labels,
        preview=video.preview,
    )
    video.tell_truncation()
    return video.reading


class _Video:
    """One video while it is being decoded: what is known of it grows from part to part."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.options = options
        self.most_s = options.max_audio_hours * 3600
        self.facts: dict[str, float | int] = {}
        self.words = ""
        self.labels: dict[str, tuple[str, ...]] = {}
        self.preview: ImageSample | None = None
        self.has_pictures = True
        self.has_shots = False
        self.truncated = False
        self.reading: Reading | None = None

    def parts(self) -> Iterator[Part]:
        """Shots, then windows of sound, with their times in the file; raises Unreadable."""
        with guarded(self.path, VIDEO):
            with self._container() as container:
                stream = pictures_of(container)
                self.has_pictures = stream is not None
                self.words, self.labels = tags_of(dict(container.metadata))
                hears = bool(container.streams.audio)
                if stream is not None:
                    yield from self._shots(container, stream, hears)
            if self.has_pictures and hears:
                yield from self._sound()

    def tell_truncation(self) -> None:
        """Writes into the Reading, already handed out, where the limit cut the video."""
        if self.truncated and self.reading is not None:
            object.__setattr__(self.reading, "truncated_at_s", self.most_s)

    @contextmanager
    def _container(self) -> Iterator[Any]:
        settings = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
        # PyAV gets an open file, not a name: a name could be an address or hold any bytes.
        with opened(self.path, self.options.max_file_bytes) as file:
            with in_our_words(self.path, "no known video format, or its header is damaged"):
                container = av.open(file, options=settings, metadata_errors="replace")
            with container:
                yield container

    def _shots(self, container: Any, stream: Any, hears: bool) -> Iterator[Part]:
        """One part for each shot. Pictures that nothing decodes are no failure beside a sound."""
        if stream.codec_context is None:
            if not hears:
                raise Unreadable(self.path, "unsupported", NO_DECODER)
            logger.warning("%s: %s: its sound alone is read", display(self.path), NO_DECODER)
            return
        with in_our_words(self.path, "its data is damaged", NO_DECODER):
            film = Film(self.path, container, stream, self.options)
            self._note(film)
            if self.options.preview_side:
                self.preview = film.still(STILL_AT * film.end_s, self.options.preview_side)
            for shot in shots(film.frames(self.most_s), film.start_s, min(film.end_s, self.most_s)):
                if not self.has_shots:
                    self._note_size(film, shot)
                self.has_shots = True
                yield Part(ShotSample(shot.pixels), round(shot.start_s, 3), round(shot.end_s, 3))

    def _note(self, film: Film) -> None:
        self.facts["duration_s"] = min(film.end_s, self.most_s)
        self.truncated = film.end_s > self.most_s

    def _note_size(self, film: Film, shot: Shot) -> None:
        """Width and height as they are shown; a video may lie on its side in the file."""
        width, height = film.size()
        shown_height, shown_width = shot.pixels.shape[:2]
        if (width > height) != (shown_width > shown_height):
            width, height = height, width
        self.facts |= {"width": width, "height": height}

    def _sound(self) -> Iterator[Part]:
        """The windows that are not silent. Damaged sound is no failure beside pictures."""
        sound = Sound(self.path, self.options, VIDEO, DEMUXERS)
        try:
            for part in sound.parts():
                self._note_sound(sound)
                assert isinstance(part.sample, AudioSample)
                if np.abs(part.sample.samples).max(initial=0.0) > SILENCE:
                    yield _later(part, sound.delay_s)
        except Unreadable as error:
            if not self.has_shots or error.transient:
                raise
            logger.warning("%s: read without its sound: %s", display(self.path), error.reason)
        self._note_sound(sound)

    def _note_sound(self, sound: Sound) -> None:
        facts = dict(sound.facts)
        longest = max(self.facts.get("duration_s", 0.0), facts.pop("duration_s", 0.0))
        self.facts |= {**facts, "duration_s": longest}
        self.truncated |= sound.truncated
        self.tell_truncation()


def _later(part: Part, delay_s: float) -> Part:
    """The part where the pictures have it: a sound may begin after them."""
    if not delay_s or part.start_s is None or part.end_s is None:
        return part
    return replace(part, start_s=part.start_s + delay_s, end_s=part.end_s + delay_s)
