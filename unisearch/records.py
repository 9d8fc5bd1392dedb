"""The words that all rooms share: what travels from files to vectors and back.

Nothing here imports numpy at run time, so that the command line starts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Modality = Literal["text", "image", "audio", "3d", "video"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
#: What shows itself to an encoder as something else does: a shot is seen by its typical frame.
SEEN_AS: dict[Modality, Modality] = {"video": "image"}

#: Version of the segment grid below; a changed grid is a new version.
GRID_VERSION = 1
AUDIO_WINDOW_S = 10.0
AUDIO_HOP_S = 5.0
SHOT_STEP_S = 1.0
SHOT_S = 30.0
PASSAGE_WORDS = 40
PASSAGE_SENTENCES = 3


def seen_as(modality: Modality) -> Modality:
    """The modality whose encoder, background and quality count for this one."""
    return SEEN_AS.get(modality, modality)


@dataclass(frozen=True)
class TextSample:
    """A sentence or a passage."""

    text: str
    modality: ClassVar[Modality] = "text"


@dataclass(frozen=True)
class ImageSample:
    """A picture: uint8 (height, width, 3), sRGB, upright, alpha already laid on neutral grey."""

    pixels: NDArray[np.uint8]  # (h, w, 3)
    modality: ClassVar[Modality] = "image"


@dataclass(frozen=True)
class ShotSample(ImageSample):
    """A shot of a video, by the frame that stands for it: whatever sees pictures sees it."""

    modality: ClassVar[Modality] = "video"


@dataclass(frozen=True)
class AudioSample:
    """A window of sound: float32 (n,), mono, in [-1, 1]."""

    samples: NDArray[np.float32]  # (n,)
    rate_hz: int
    modality: ClassVar[Modality] = "audio"


@dataclass(frozen=True)
class PointSample:
    """Points on a surface, in the units and axes of the file.

    normals: unit rows, or None for a cloud without; colors: linear position in sRGB [0, 1], or None
    up: the axis that the format declares to point up, or None when it declares nothing
    """

    points: NDArray[np.float32]  # (n, 3)
    normals: NDArray[np.float32] | None = None  # (n, 3)
    colors: NDArray[np.float32] | None = None  # (n, 3)
    up: Literal["y", "z"] | None = None
    modality: ClassVar[Modality] = "3d"


Sample = TextSample | ImageSample | AudioSample | PointSample


@dataclass(frozen=True)
class TriangleMesh:
    """A surface of triangles with one colour each.

    face_colors: float32 (f, 3), sRGB in [0, 1], or None when the file declares no colour
    """

    vertices: NDArray[np.float32]  # (v, 3)
    faces: NDArray[np.int32]  # (f, 3)
    face_colors: NDArray[np.float32] | None = None  # (f, 3)
    up: Literal["y", "z"] | None = "y"


@dataclass(frozen=True)
class ReadOptions:
    """What readers are told: the needs of the active spaces and the limits of the configuration."""

    image_min_side: int = 192  # px; decoding never shrinks a picture's short side below this
    audio_rate_hz: int = 16_000
    points: int = 4_096  # sampled on a mesh's surface
    max_file_bytes: int = 4 * 1024**3
    max_pixels: int = 100_000_000
    max_audio_hours: float = 12.0
    max_triangles: int = 20_000_000
    max_text_bytes: int = 64 * 1024**2
    preview_side: int = 0  # px; longest side of what Reading.preview shows; 0: none is wanted


@dataclass(frozen=True)
class Part:
    """A segment as read from a file: what becomes one vector, of its sample's modality."""

    sample: Sample
    start_s: float | None = None
    end_s: float | None = None
    text: str = ""  # the passage, for text; otherwise empty


@dataclass(frozen=True)
class Reading:
    """A file as read.

    parts: one or more; long sounds and videos yield theirs while decoding, so walk through them
    once; those of a video are shots, then windows of its sound
    facts: numbers of the file by the names of FACTS, as far as its format has them
    words: text found inside (titles, tags, names of nodes) that is looked up but has no vector
    truncated_at_s: where a sound or video longer than the limit was cut, else None
    labels: what the file says of itself, by the names of LABELS, for filters
    preview: what a preview is made from, where one is wanted: the beginning of a text, a picture of
    about ReadOptions.preview_side px, also of a video, the whole surface or cloud; None for sounds
    """

    modality: Modality
    parts: Iterable[Part]
    facts: Mapping[str, float | int] = field(default_factory=dict)
    words: str = ""
    truncated_at_s: float | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preview: TextSample | ImageSample | TriangleMesh | PointSample | None = None


FACTS = (
    *("width", "height", "duration_s", "rate_hz", "channels", "vertices", "faces", "chars"),
    "taken_s",  # of a picture: since 1970, as if its camera's clock had shown UTC
)
#: Names of what a file may say of itself, one or more texts each.
LABELS = ("title", "artist", "album", "genre", "camera", "keyword")


@dataclass(frozen=True)
class Prepared:
    """A sample after a space's CPU part: arrays ready to be stacked into a batch. Picklable."""

    modality: Modality
    arrays: tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Block:
    """Up to 4,096 stored rows in a row, and the checksum of their keys and vectors."""

    block: int  # rows [4096 * block, 4096 * block + rows)
    rows: int
    checksum: bytes


@dataclass(frozen=True, eq=False)
class PartitionState:
    """What is committed of a partition: its files' epoch, its rows, and those that are dead."""

    epoch: int
    count: int
    dead: NDArray[np.int64]  # (n,), row numbers, ascending


@dataclass(frozen=True)
class Hit:
    """One answer: an item, its best segment and how sure we are.

    score: standardised, in standard deviations above the background; similarity: bare cosine
    weak: chance alone would give more hits this good than is allowed, and no words match
    expected_by_chance: how many, judged by the vector alone; large also where only a name matched
    matched: whether the vector, the words (names, tags, passages) or both found it
    copies: how many other items share the content
    """

    rank: int
    item: int
    path: bytes
    modality: Modality
    score: float
    similarity: float
    weak: bool
    expected_by_chance: float
    matched: Literal["vector", "name", "both"]
    copies: int
    segment: int
    start_s: float | None
    end_s: float | None
    text: str
    space: str
