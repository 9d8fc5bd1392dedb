"""What is sent to the processes that decode: the preparation of each tower, in one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.records import Modality, Prepared, Sample, TextSample, seen_as

#: One sample as it travels from a worker to a network.
Array = NDArray[Any]
Prepare = Callable[[Sample], Array]


@dataclass(frozen=True)
class Preparers:
    """A sample, prepared for every tower that sees its modality: arrays[i] is of tower i."""

    by_modality: Mapping[Modality, tuple[Prepare, ...]]

    def __call__(self, sample: Sample) -> Prepared:
        prepare = self.by_modality[seen_as(sample.modality)]
        return Prepared(sample.modality, tuple(one(sample) for one in prepare))


def text_bytes(sample: Sample) -> NDArray[np.uint8]:
    """A text as UTF-8: towers make tokens of it where their vocabulary is."""
    assert isinstance(sample, TextSample)
    return np.frombuffer(sample.text.encode("utf-8", "replace"), np.uint8)


def text_of(array: Array) -> str:
    """The text of `text_bytes`."""
    return array.tobytes().decode("utf-8")
