"""The tables of the catalogue. The migrations make them; a test holds the two together.

Two full-text tables stand beside them (FTS5, unknown to SQLAlchemy): `item_words` (name, tags,
words; rowid = items.id), written with the item, and `passages` (text; rowid = segments.id),
kept in step by triggers.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Float, Integer, Text

#: Number of the newest migration, kept in PRAGMA user_version.
FORMAT = 6
FTS_TABLES = ("item_words", "passages")
TRIGGERS = ("passages_put", "passages_drop")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {int: Integer, float: Float, str: Text, bytes: LargeBinary}


class Root(Base):
    """A folder that was indexed, or of which single files were; each path lies in one root.

    whole: 1 for a folder with all that lies below, which holds no other root;
        0 when only files directly in it were named: they alone belong to it
    """

    __tablename__ = "roots"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(unique=True)
    whole: Mapped[int]


class Content(Base):
    """What files hold, embedded once however many items share it; dies with its last item."""

    __tablename__ = "contents"
    __table_args__ = (UniqueConstraint("digest", "size_bytes", "grid_version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    size_bytes: Mapped[int]
    modality: Mapped[str]
    grid_version: Mapped[int]
    width: Mapped[float | None]
    height: Mapped[float | None]
    duration_s: Mapped[float | None]
    rate_hz: Mapped[float | None]
    channels: Mapped[float | None]
    vertices: Mapped[float | None]
    faces: Mapped[float | None]
    chars: Mapped[float | None]
    taken_s: Mapped[float | None]
    words: Mapped[str]
    truncated_at_s: Mapped[float | None]


class Item(Base):
    """A file. Its id survives move, rename and edit.

    content_id is NULL while the file, as it is now, cannot be read.
    """

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("root_id", "rel_path"),
        Index("items_by_content", "content_id"),
        Index("items_by_inode", "inode"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"))
    rel_path: Mapped[bytes]
    display: Mapped[str]
    suffix: Mapped[str]
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id"))
    inode: Mapped[int]
    device: Mapped[int]
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    ctime_ns: Mapped[int]


class Segment(Base):
    """A part of a content that has a vector of its own. Ids are never used again.

    modality: of its vector; that of the content, but a video also has windows of sound
    """

    __tablename__ = "segments"
    __table_args__ = (
        UniqueConstraint("content_id", "ordinal"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"))
    ordinal: Mapped[int]
    start_s: Mapped[float | None]
    end_s: Mapped[float | None]
    text: Mapped[str]
    modality: Mapped[str]


class Failure(Base):
    """A file that cannot be read, as it was then; not tried again until it changes."""

    __tablename__ = "failures"
    __table_args__ = (UniqueConstraint("root_id", "rel_path"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"))
    rel_path: Mapped[bytes]
    display: Mapped[str]
    kind: Mapped[str]
    message: Mapped[str]
    inode: Mapped[int]
    device: Mapped[int]
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    ctime_ns: Mapped[int]


class SpaceTable(Base):
    """A space whose vectors the library holds; see rows.SpaceRow.

    modalities: that it covers, with spaces between; reached: segments up to this id have their
        vector, all of them in an active space
    """

    __tablename__ = "spaces"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    dim: Mapped[int]
    added: Mapped[str]  # UTC, ISO 8601
    state: Mapped[str]
    modalities: Mapped[str]
    reached: Mapped[int]
    goal: Mapped[str]


class Gap(Base):
    """A content that has no vector in a space, though the space came by; reason: of rows.Gap."""

    __tablename__ = "gaps"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"), primary_key=True)
    space_id: Mapped[str] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    reason: Mapped[str]


class Partition(Base):
    """All vectors of one (space, modality): `count` rows are committed, `dead` of them dead."""

    __tablename__ = "partitions"
    __table_args__ = (UniqueConstraint("space_id", "modality"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[str] = mapped_column(ForeignKey("spaces.id"))
    modality: Mapped[str]
    epoch: Mapped[int]
    count: Mapped[int]
    dead: Mapped[int]


class BlockTable(Base):
    """The checksum of up to 4,096 rows of an epoch."""

    __tablename__ = "blocks"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    partition_id: Mapped[int] = mapped_column(ForeignKey("partitions.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True)
    rows: Mapped[int]
    checksum: Mapped[bytes]


class DeadRow(Base):
    """A row whose segment is gone."""

    __tablename__ = "dead_rows"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    partition_id: Mapped[int] = mapped_column(ForeignKey("partitions.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)


class Tag(Base):
    """A word that somebody put on an item."""

    __tablename__ = "tags"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)


class Label(Base):
    """What a file says of itself under one of the names of LABELS."""

    __tablename__ = "labels"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)


class Sidecar(Base):
    """What the files beside an item say of it. key: of these files, as they were read."""

    __tablename__ = "sidecars"
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    key: Mapped[bytes]
    words: Mapped[str]


class SidecarTag(Base):
    """A tag of an item that a file beside it gives."""

    __tablename__ = "sidecar_tags"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)


class Background(Base):
    """A sample of a partition's live rows, against which scores are standardised.

    epoch, count, dead: of the partition when it was drawn; kinds: how many distinct things
    the sample holds; digest: of the sample (XXH3, 128 bits)
    """

    __tablename__ = "backgrounds"
    partition_id: Mapped[int] = mapped_column(ForeignKey("partitions.id"), primary_key=True)
    epoch: Mapped[int]
    count: Mapped[int]
    dead: Mapped[int]
    kinds: Mapped[int]
    digest: Mapped[bytes]
    sample: Mapped[bytes]  # float16 (n, dim)
