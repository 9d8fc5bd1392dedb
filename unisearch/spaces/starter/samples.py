"""What the starter space makes of a sample before its network. Loads no network."""

from __future__ import annotations

from unisearch.records import AudioSample, ImageSample, Prepared, Sample, TextSample
from unisearch.spaces.starter import prepare
from unisearch.spaces.starter.words import hash_words


def prepare_sample(sample: Sample) -> Prepared:
    """The arrays that the network reads; see `prepare` and `words` for their shapes."""
    if isinstance(sample, TextSample):
        return Prepared("text", (hash_words(sample.text),))
    if isinstance(sample, ImageSample):
        return Prepared(sample.modality, (prepare.picture(sample.pixels),))
    if isinstance(sample, AudioSample):
        return Prepared("audio", (prepare.sound(sample.samples, sample.rate_hz),))
    return Prepared("3d", prepare.points(sample))
