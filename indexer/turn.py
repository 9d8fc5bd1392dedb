"""The vectors of a mixed space made anew for other factors, from their stored parts.

Nothing is embedded and no file of the user is read. The new vectors are written beside the old
ones, under the id of the new factors, while the old ones go on answering; then one transaction
switches: a kill at any moment leaves the one or the other, and files that nobody refers to.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.backgrounds import renew
from indexer.spaces import drop_files
from unisearch.catalog.rows import PartitionRow, SpaceRow
from unisearch.catalog.view import View
from unisearch.catalog.write import Writing
from unisearch.errors import LibraryDamaged, RowsGone, UnisearchError, display
from unisearch.factors import Factors, marked, mix, told
from unisearch.held import check_names, with_factors
from unisearch.index import durable
from unisearch.index.compact import live_rows
from unisearch.index.rows import BLOCK_ROWS, RowFiles
from unisearch.records import Block, PartitionState, seen_as
from unisearch.wiring import INDEX_FOLDER, VECTORS_FOLDER, Rooms, row_files

logger = logging.getLogger(__name__)


def space_to_turn(rows: Iterable[SpaceRow], name: str) -> SpaceRow:
    """The space of that id or name; without one the only space that can be turned.

    Raises UnisearchError when there is none, or several.
    """
    found = with_factors(rows, name)
    if len(found) > 1:
        names = ", ".join(row.name for row in found)
        raise UnisearchError(f"several spaces have factors: {names}; name one with --space")
    return found[0]


@dataclass(eq=False)
class _Written:
    """New rows of one modality. old: its parts, of which `read` rows were looked at."""

    old: PartitionRow
    files: RowFiles
    epoch: int
    factor: float
    read: int = 0
    keys: list[NDArray[np.int64]] = field(default_factory=list)
    sealed: dict[int, Block] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.keys))

    @property
    def blocks(self) -> list[Block]:
        return [self.sealed[number] for number in sorted(self.sealed)]

    def add(self, parts: RowFiles, state: PartitionState, blocks: list[Block]) -> Generator[None]:
        """Append what is mixed of the live rows that were not looked at yet, some at a time.

        Raises LibraryDamaged for parts that are not as they were written.
        """
        start, last = self.read // BLOCK_ROWS * BLOCK_ROWS, self.keys[-1][-1] if self.keys else -1
        for keys, halves in live_rows(parts, state, blocks, start):
            new = keys > last
            if not new.any():
                continue
            rows, tail = mix(self.factor, halves[new]), self.sealed.get(self.count // BLOCK_ROWS)
            fresh = self.files.append(self.epoch, self.count, keys[new], rows, tail)
            self.sealed.update((block.block, block) for block in fresh)
            self.keys.append(keys[new])
            yield
        self.read = state.count


class Turn:
    """One change of factors. For the holder of the writer's lock only.

    count: how many vectors were made anew; doing: what goes on, in words
    before_switch: called before the transaction, with nothing else under way
    """

    def __init__(
        self, rooms: Rooms, name: str, wanted: Factors, before_switch: Callable[[], None]
    ) -> None:
        self._rooms = rooms
        self._before_switch = before_switch
        with rooms.catalog.view() as view:
            self._row = space_to_turn(view.spaces_and_parts(), name)
            self._total = sum(
                row.count for row in view.all_partitions() if row.space == self._row.parts_id
            )
        check_names(wanted, [self._row])
        self._factors = {**self._row.factors, **wanted}
        self._new = marked(self._row.parts_id, self._factors)
        self.count = 0

    def steps(self) -> Generator[str]:
        """What is being done, before each step; after each one others may write."""
        if told(self._factors) == told(self._row.factors):
            return
        self._check_whole()
        library = self._rooms.library
        drop_files(library, [self._new])  # of a turn that was killed
        try:
            while True:
                written: list[_Written] = []
                yield from self._write(written)
                self._before_switch()
                if self._switch(written):
                    break
                logger.info("the rows changed while factors were turned: once more")
                drop_files(library, [self._new])
        except BaseException:
            with self._rooms.catalog.view() as view:
                left = view.space(self._new) is None
            if left:
                drop_files(library, [self._new])
            raise
        self.count = sum(one.count for one in written)
        drop_files(library, [self._row.id])
        logger.info("'%s' is '%s' now", self._row.id, self._new)

    def _check_whole(self) -> None:
        """Raise UnisearchError while there are vectors whose parts are not here."""
        with self._rooms.catalog.view() as view:
            lacking = _contents(view, self._row.parts_id) - _contents(view, self._row.id)
            paths = sorted(item.path for one in lacking for item in view.items_of(one))
        if paths:
            count = f"{len(paths):,} files lack" if len(paths) > 1 else "1 file lacks"
            raise UnisearchError(
                f"{display(self._rooms.library)}: {count} the parts of vectors that factors are"
                f" turned by, such as {display(paths[0])}: they come back with the file. Connect"
                " its drive, run 'unisearch index', and turn again"
            )

    def _write(self, written: list[_Written]) -> Generator[str]:
        with self._rooms.catalog.view() as view:
            partitions = view.all_partitions()
        epochs = [row.epoch for row in partitions if row.space == self._row.id]
        for row in partitions:
            if row.space != self._row.parts_id:
                continue
            files = RowFiles(
                self._rooms.library / VECTORS_FOLDER, self._new, row.modality, row.dim // 2
            )
            factor = self._factors[seen_as(row.modality)]
            # Above all that readers may have seen of either: none takes new rows for old ones.
            one = _Written(row, files, max([row.epoch, *epochs]) + 1, factor)
            written.append(one)
            with self._rooms.catalog.view() as view:
                state = view.partitions(row.space)[row.modality]
                blocks = view.blocks(row.space, row.modality)
            parts = row_files(self._rooms.library, row)
            yield self._doing(written)
            with suppress(RowsGone):  # compacted between two steps: the switch sees it
                for _ in one.add(parts, state, blocks):
                    yield self._doing(written)

    def _doing(self, written: Iterable[_Written]) -> str:
        done = sum(one.count for one in written)
        return f"turning to {told(self._factors)}: {done:,} of {self._total:,} vectors"

    def _switch(self, written: list[_Written]) -> bool:
        """Have the new rows answer; False when they were mixed of rows that are not there now."""
        library = self._rooms.library
        with self._rooms.catalog.write() as tx:
            if tx.space(self._row.id) is None:
                raise UnisearchError(f"'{self._row.id}' was dropped meanwhile")
            partitions = tx.all_partitions()
            parts = {one.id: one for one in partitions if one.space == self._row.parts_id}
            known = {one.old.id: one.old.epoch for one in written}
            if known != {row.id: row.epoch for row in parts.values()}:
                return False
            for one in written:
                self._catch_up(tx, one, parts[one.old.id])
            turned = {one.old.modality for one in written}
            for row in partitions:
                if row.space == self._row.id and row.modality not in turned:
                    _take_along(library, row, self._new)
            tx.rename_space(self._row.id, self._new)
            for one in written:
                self._replace(tx, one)
        return True

    def _catch_up(self, tx: Writing, one: _Written, now: PartitionRow) -> None:
        """What came while others had a turn."""
        state = tx.partitions(now.space)[now.modality]
        if state.count > one.read:
            blocks = tx.blocks(now.space, now.modality)
            for _ in one.add(row_files(self._rooms.library, now), state, blocks):
                pass

    def _replace(self, tx: Writing, one: _Written) -> None:
        """The rows of the partition that was renamed are the new ones."""
        library, modality = self._rooms.library, one.old.modality
        main = tx.partition(self._new, modality)
        state = tx.partitions(self._new)[modality]
        keys = np.concatenate([*one.keys, np.empty(0, np.int64)])
        dead = _dead_keys(tx, library, one.old)
        before = RowFiles(library / VECTORS_FOLDER, self._row.id, modality, main.dim)
        held = np.delete(before.open(state.epoch, state.count).keys, state.dead)
        if not np.array_equal(held, np.setdiff1d(keys, dead, assume_unique=True)):
            raise LibraryDamaged(
                f"{display(library)}: vectors and parts of {modality} differ: 'unisearch repair'"
            )
        tx.switch_epoch(main, state, one.epoch, len(keys), one.blocks)
        main = tx.partition(self._new, modality)
        tx.bury(main, np.flatnonzero(np.isin(keys, dead)))
        renew(tx, library, main, force=True)


def _contents(view: View, space: str) -> set[int]:
    """What has no row there at all; of a `part` what is left has its rows."""
    return {one.content for one, _, why in view.gaps(space) if why != "part"}


def _dead_keys(tx: Writing, library: Path, parts: PartitionRow) -> NDArray[np.int64]:
    state = tx.partitions(parts.space)[parts.modality]
    keys = row_files(library, parts).open(state.epoch, state.count).keys
    return keys[state.dead]


def _take_along(library: Path, partition: PartitionRow, new: str) -> None:
    """Have the rows and indexes of a partition lie under another space, too."""
    files = row_files(library, partition)
    here = RowFiles(library / VECTORS_FOLDER, new, partition.modality, partition.dim)
    _link(files.paths(partition.epoch), here.folder)
    indexes = library / INDEX_FOLDER / partition.space / partition.modality
    there = library / INDEX_FOLDER / new / partition.modality
    _link([one for one in indexes.glob("*") if not durable.is_temporary(one)], there)


def _link(paths: Iterable[Path], folder: Path) -> None:
    """The same files in another folder; copies where the file system has no second names."""
    paths = list(paths)
    if not paths:
        return
    durable.make_folder(folder)
    for path in paths:
        place = folder / path.name
        place.unlink(missing_ok=True)
        try:
            os.link(path, place)
        except OSError:
            shutil.copyfile(path, place)
            with place.open("rb") as file:
                os.fsync(file.fileno())
    durable.sync_folder(folder)
