"""The one door of this room: what was read of a file in, its previews out, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unisearch import registry
from unisearch.registry import Entry

#: `still` is a picture that stands for the file, `turn` a film of it, `text` plain UTF-8.
Kind = Literal["still", "turn", "text"]


@dataclass(frozen=True)
class Preview:
    """One small file that shows what a content is."""

    kind: Kind
    data: bytes


@dataclass(frozen=True)
class PreviewOptions:
    """How large previews are, and what draws models.

    renderer: `auto` draws models with the graphics card where that is possible
    """

    side: int = 512  # px; longest side of a still
    turn_side: int = 256  # px
    turn_frames: int = 24
    chars: int = 1_000
    renderer: Literal["auto", "software"] = "auto"


DEFAULTS = PreviewOptions()

#: The one place where a modality is added: a function (payload, options) -> list[Preview].
PREVIEWS: Mapping[str, Entry] = {
    "text": Entry("unisearch.previews.excerpt:make_excerpt"),  # of a TextSample
    "image": Entry("unisearch.previews.thumbnail:make_thumbnail"),  # of an ImageSample
    "audio": Entry("unisearch.previews.waveform:make_waveform"),  # of a SoundSketch
    "3d": Entry("unisearch.previews.turntable:make_turntable"),  # of a mesh or a cloud of points
    "video": Entry("unisearch.previews.thumbnail:make_thumbnail"),  # of an ImageSample
}


def make(modality: str, payload: Any, options: PreviewOptions = DEFAULTS) -> list[Preview]:
    """The previews of one file. Pure: no disk, and the same payload gives the same bytes.

    Raises what its code raises: who calls it sees to it that no file fails for its preview.
    """
    function = registry.load("preview", PREVIEWS, modality)
    previews: list[Preview] = function(payload, options)
    return previews
