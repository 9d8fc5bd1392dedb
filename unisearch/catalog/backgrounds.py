"""The samples of live rows that scores are compared with, one of each partition."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert as upsert

from unisearch.catalog import tables
from unisearch.catalog.rows import PartitionRow
from unisearch.errors import LibraryDamaged
from unisearch.records import Modality

_HALF = np.dtype("<f2")


@dataclass(frozen=True)
class BackgroundRow:
    """A stored sample without its vectors; an equal digest means an equal sample.

    epoch, count, dead: of the partition when it was drawn; kinds: distinct things in it
    """

    partition: int
    space: str
    modality: Modality
    dim: int
    epoch: int
    count: int
    dead: int
    kinds: int
    digest: bytes
    rows: int


def of_all(connection: sqlite3.Connection, space_id: str | None = None) -> list[BackgroundRow]:
    """The backgrounds of a space's partitions, or of every space's; no vector is read."""
    rows = connection.execute(
        "SELECT p.id, p.space_id, p.modality, s.dim, b.epoch, b.count, b.dead, b.kinds, b.digest,"
        " length(b.sample) / (2 * s.dim)"
        " FROM backgrounds b JOIN partitions p ON p.id = b.partition_id"
        " JOIN spaces s ON s.id = p.space_id WHERE ? IS NULL OR p.space_id = ? ORDER BY p.id",
        (space_id, space_id),
    )
    return [BackgroundRow(*row) for row in rows]


def sample_of(connection: sqlite3.Connection, row: BackgroundRow) -> NDArray[np.float16]:
    """The sampled vectors (rows, dim).

    Raises LibraryDamaged when they differ from their digest.
    """
    stored: bytes = connection.execute(
        "SELECT sample FROM backgrounds WHERE partition_id = ?", (row.partition,)
    ).fetchone()[0]
    if xxhash.xxh3_128_digest(stored) != row.digest:
        raise LibraryDamaged(
            f"the background of {row.space}/{row.modality} differs from its checksum;"
            " 'unisearch repair' draws it anew"
        )
    return np.frombuffer(stored, _HALF).reshape(-1, row.dim)


def put(
    connection: Connection, partition: PartitionRow, sample: NDArray[np.float16], kinds: int
) -> None:
    """Keep a sample (n, dim) of the partition as it is now; the one before it is gone."""
    stored = sample.astype(_HALF, copy=False).tobytes()
    row = upsert(tables.Background).values(
        partition_id=partition.id,
        epoch=partition.epoch,
        count=partition.count,
        dead=partition.dead,
        kinds=kinds,
        digest=xxhash.xxh3_128_digest(stored),
        sample=stored,
    )
    connection.execute(row.on_conflict_do_update(set_=dict(row.excluded.items())))


def drop(connection: sqlite3.Connection, partition: PartitionRow) -> None:
    """Forget the sample of a partition."""
    connection.execute("DELETE FROM backgrounds WHERE partition_id = ?", (partition.id,))
