"""The one door of this room: a path in, a Reading out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unisearch import registry
from unisearch.errors import Unreadable, display
from unisearch.media import formats
from unisearch.media.files import checked_size, guarded
from unisearch.media.signature import DOCUMENT, MODEL, PICTURE, SOUND, VIDEO
from unisearch.records import MODALITIES, Modality, Reading, ReadOptions
from unisearch.registry import Entry

DEFAULTS = ReadOptions()


@dataclass(frozen=True)
class Reader(Entry):
    """A function (path, options) -> Reading, the suffixes it is asked for, and what they hold."""

    suffixes: tuple[str, ...] = ()
    wanted: str = "file"


#: The one place where a modality is added.
READERS: Mapping[str, Reader] = {
    "text": Reader("unisearch.media.text:read_text", (), formats.TEXTS, DOCUMENT),
    "image": Reader("unisearch.media.image:read_image", (), formats.PICTURES, PICTURE),
    "audio": Reader("unisearch.media.audio:read_audio", (), formats.SOUNDS, SOUND),
    "3d": Reader("unisearch.media.model:read_model", (), formats.MODELS, MODEL),
    "video": Reader("unisearch.media.video:read_video", (), formats.VIDEOS, VIDEO),
}

_BY_SUFFIX: dict[str, Modality] = {
    suffix: modality for modality in MODALITIES for suffix in READERS[modality].suffixes
}


def modality_of(path: Path) -> Modality | None:
    """The modality that the file's suffix stands for, None for a suffix that nothing reads."""
    return _BY_SUFFIX.get(path.suffix.lower())


def is_wanted(path: Path) -> bool:
    """Whether a file of a folder is for a reader: by its suffix, and by its first bytes where
    files of other kinds have the same suffix. One that cannot be opened is, so that it is told."""
    if path.suffix.lower() not in formats.SHARED:
        return modality_of(path) is not None
    try:
        with path.open("rb") as file:
            return formats.SHARED[path.suffix.lower()](file.read(formats.HEAD_BYTES))
    except OSError:
        return True


def read(path: Path, options: ReadOptions = DEFAULTS) -> Reading:
    """The file as parts, facts and words.

    Walk through the parts once; a long sound decodes while you do, and its `duration_s` and
    `truncated_at_s` are final when you are through. Any bytes may stand in the path.
    Raises Unreadable, also while walking through the parts.
    """
    modality = modality_of(path)
    if modality is None:
        shown = display(path.suffix)
        reason = f"nothing reads files that end in '{shown}'" if shown else "its name has no suffix"
        raise Unreadable(path, "unsupported", reason)
    checked_size(path, options.max_file_bytes)
    reader = registry.load("reader", READERS, modality)
    with guarded(path, READERS[modality].wanted):
        reading: Reading = reader(path, options)
        return reading
