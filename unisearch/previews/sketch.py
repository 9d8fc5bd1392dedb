"""What a preview needs of a file, gathered while its parts are walked through once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from unisearch.errors import display
from unisearch.previews.make import PREVIEWS, Preview, PreviewOptions, make
from unisearch.previews.sound import SoundSketch
from unisearch.records import AudioSample, Part, Reading

logger = logging.getLogger(__name__)


class Sketch:
    """The previews of one file in the making. No file fails for its preview: a line at level
    debug says what went wrong, and `failed` is true.
    """

    def __init__(self, path: Path | bytes, reading: Reading, options: PreviewOptions) -> None:
        self._path, self._reading, self._options = path, reading, options
        self._sound: SoundSketch | None = None
        self._heard = 0  # samples; windows overlap
        self.failed = False

    def look(self, part: Part) -> None:
        """Take note of the next part. Cheap for all but sounds, which are not kept otherwise."""
        if not isinstance(part.sample, AudioSample) or self.failed:
            return
        if self._reading.modality != "audio":  # a video shows a picture
            return
        try:
            self._listen(part.sample, part.start_s or 0.0)
        except Exception as error:
            self._fail(error)

    def make(self) -> list[Preview]:
        """The previews, once all parts were looked at; empty where there is nothing to show."""
        payload: Any = self._sound or self._reading.preview
        if payload is None or self.failed or self._reading.modality not in PREVIEWS:
            return []
        try:
            return make(self._reading.modality, payload, self._options)
        except Exception as error:
            self._fail(error)
            return []

    def _listen(self, sample: AudioSample, start_s: float) -> None:
        if self._sound is None:
            self._sound = SoundSketch(sample.rate_hz)
        start = round(start_s * sample.rate_hz)
        self._sound.add(sample.samples[max(0, self._heard - start) :])
        self._heard = start + len(sample.samples)

    def _fail(self, error: Exception) -> None:
        self.failed = True
        logger.debug("%s: no preview: %s: %s", display(self._path), type(error).__name__, error)
