"""What the catalogue answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from unisearch.catalog.folders import relative
from unisearch.errors import FailureKind
from unisearch.factors import Factors, split
from unisearch.records import MODALITIES, Modality, seen_as

#: Above every segment id.
ALL = 2**63 - 1
#: active: each run writes it, and questions are answered from it; building: what the library holds
#: is embedded into it, in the order of the segments; left: kept, but neither written nor searched;
#: parts: no space of its own, but what the vectors of another one are mixed of
State = Literal["active", "building", "left", "parts"]
#: What becomes of the active spaces when a space is built: they stay, are left, or are dropped.
Goal = Literal["add", "switch", "replace"]
#: Why a content has no vector: its file was out of reach or cannot be embedded there, or the space
#: was not at hand (or its parts are others by now), so that it is only to be done. 'part': it has
#: some, but others were lost, and are to come back with its file.
Lack = Literal["away", "failed", "todo", "part"]


class Stat(NamedTuple):
    """What the file system says of a file: equal values mean an unchanged file."""

    inode: int
    device: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int

    def same_file(self, other: Stat) -> bool:
        """Whether nothing was written; device numbers change when disks are mounted anew."""
        return self[0] == other[0] and self[2:] == other[2:]

    def same_size_and_time(self, other: Stat) -> bool:
        """Whether nothing seems to be written, where files do not keep their inode numbers."""
        return self.size_bytes == other.size_bytes and self.mtime_ns == other.mtime_ns


@dataclass(frozen=True)
class RootRow:
    """An indexed folder and how many items lie below it.

    whole: all of it is indexed; otherwise single files that lie directly in it
    """

    id: int
    path: bytes
    whole: bool
    items: int

    def holds(self, path: bytes) -> bool:
        """Whether the path belongs to this root; that of the folder itself does when whole."""
        rest = relative(self.path, path)
        return rest is not None and (self.whole or (rest != b"" and b"/" not in rest))


@dataclass(frozen=True)
class ItemRow:
    """A file. content and modality are None while it cannot be read."""

    id: int
    root: int
    root_path: bytes
    path: bytes
    display: str
    suffix: str
    content: int | None
    modality: Modality | None
    stat: Stat
    facts: Mapping[str, float]
    words: str
    truncated_at_s: float | None


class Span(NamedTuple):
    """What is kept of a part beside its vector.

    modality: of the vector, where that is not the content's own
    """

    start_s: float | None
    end_s: float | None
    text: str
    modality: Modality | None = None


class KnownFile(NamedTuple):
    """A file as the catalogue last saw it; content is None when it could not be read."""

    item: int
    stat: Stat
    content: int | None


class DescribedRow(NamedTuple):
    """An item; key: of the files beside it as they were read, None without any."""

    path: bytes
    item: int
    modality: Modality
    key: bytes | None


class SegmentRow(NamedTuple):
    """A segment with one item that has it; copies: how many other items share the content."""

    segment: int
    content: int
    item: int
    path: bytes
    start_s: float | None
    end_s: float | None
    text: str
    copies: int


@dataclass(frozen=True)
class WordMatch:
    """A segment whose words fit.

    rank: in (0, 1], more is better: its share of the best match among names, or among passages
    item: whose name, tags or words fit; None for a passage, which all its copies hold
    """

    segment: int
    rank: float
    item: int | None


@dataclass(frozen=True)
class FailureRow:
    """A file that could not be read, and why; not tried again until it changes."""

    path: bytes
    kind: FailureKind
    message: str
    stat: Stat


@dataclass(frozen=True)
class DyingRow:
    """A content whose last item went: all that is known of it but its segments."""

    id: int
    digest: bytes
    size_bytes: int
    modality: Modality
    words: str
    truncated_at_s: float | None
    facts: Mapping[str, float]
    labels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SpaceRow:
    """A space whose vectors the library holds.

    modalities: that it covers; reached: segments up to this id were embedded, unless they have a
    gap; goal: of a space that is being built
    """

    id: str
    name: str
    dim: int
    added: str
    state: State = "active"
    modalities: tuple[Modality, ...] = MODALITIES
    reached: int = ALL
    goal: Goal = "add"

    @property
    def parts_id(self) -> str:
        """The id under which the parts of its vectors are held, '' where they are not mixed."""
        return split(self.id)[0]

    @property
    def factors(self) -> Factors:
        """By which its vectors are mixed; none where they are not."""
        return split(self.id)[1]

    def covers(self, modality: Modality) -> bool:
        """Whether what is of that modality gets vectors."""
        return seen_as(modality) in self.modalities


class StoredPart(NamedTuple):
    """A segment as it is stored, with the modality of its vector."""

    id: int
    span: Span


class Owed(NamedTuple):
    """A content that is to be embedded into a space; first: its first segment, where asked for."""

    content: int
    digest: bytes
    modality: Modality
    first: int = 0


@dataclass(frozen=True)
class PartitionRow:
    """The committed extent of one (space, modality): `dead` of `count` rows are dead."""

    id: int
    space: str
    dim: int
    modality: Modality
    epoch: int
    count: int
    dead: int


@dataclass(frozen=True)
class Counts:
    """How much there is of one modality."""

    items: int
    contents: int
    segments: int
