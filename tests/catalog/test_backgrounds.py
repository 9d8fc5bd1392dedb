"""The stored samples of live rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from unisearch.catalog.open import Catalog
from unisearch.errors import LibraryDamaged


def rows(seed: int, count: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def with_partition(catalog: Catalog) -> Catalog:
    with catalog.write() as tx:
        tx.add_space("toy-1", "toy", 8)
        tx.commit_rows(tx.partition("toy-1", "image"), 40, [])
    return catalog


def test_a_sample_comes_back_as_it_was_stored_with_its_facts(with_partition: Catalog) -> None:
    sample = rows(0, 20)
    with with_partition.write() as tx:
        tx.put_background(tx.partition("toy-1", "image"), sample, kinds=7)

    with with_partition.view() as view:
        [row] = view.backgrounds("toy-1")
        stored = view.background_sample(row)
        elsewhere = view.backgrounds("another-space")

    assert (row.modality, row.count, row.dead, row.kinds, row.rows) == ("image", 40, 0, 7, 20)
    np.testing.assert_array_equal(stored, sample)
    assert elsewhere == []


def test_a_new_sample_replaces_the_old_one_and_has_another_digest(with_partition: Catalog) -> None:
    digests = []
    for seed in (0, 1):
        with with_partition.write() as tx:
            tx.put_background(tx.partition("toy-1", "image"), rows(seed, 5), kinds=5)
        with with_partition.view() as view:
            [row] = view.backgrounds()
            digests.append(row.digest)

    assert digests[0] != digests[1]


def test_a_dropped_sample_is_gone(with_partition: Catalog) -> None:
    with with_partition.write() as tx:
        partition = tx.partition("toy-1", "image")
        tx.put_background(partition, rows(0, 5), kinds=5)
        tx.drop_background(partition)

    with with_partition.view() as view:
        assert view.backgrounds() == []


def test_a_sample_with_a_flipped_bit_is_refused(with_partition: Catalog) -> None:
    with with_partition.write() as tx:
        tx.put_background(tx.partition("toy-1", "image"), rows(0, 5), kinds=5)
    with closing(sqlite3.connect(with_partition.path)) as raw:
        [(stored,)] = raw.execute("SELECT sample FROM backgrounds").fetchall()
        flipped = stored[:9] + bytes([stored[9] ^ 1]) + stored[10:]
        raw.execute("UPDATE backgrounds SET sample = ?", (flipped,))
        raw.commit()

    with with_partition.view() as view, pytest.raises(LibraryDamaged, match="toy-1/image"):
        view.background_sample(view.backgrounds()[0])
