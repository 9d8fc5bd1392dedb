"""Sounds to what the audio tower hears, in the processes that decode. Pictures: pictures.Crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.records import AudioSample, Sample
from unisearch.spaces.towers.imagebind import sound


@dataclass(frozen=True)
class PrepareSound:
    """float32 (clips, 1, bands, frames): three clips of 2 s, spread evenly over the sound.

    steps: sound.STEPS, or another rule for where they begin
    """

    steps: int = sound.STEPS

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        assert isinstance(sample, AudioSample)
        finite = np.nan_to_num(sample.samples, posinf=1, neginf=-1)
        return sound.clips(finite[None], sample.rate_hz, self.steps)
