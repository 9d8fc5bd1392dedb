"""Catalogue and rows brought to agree again, in one transaction."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.backgrounds import renew
from indexer.detect import in_reach
from indexer.extents import mend_extents
from indexer.places import is_gone
from indexer.remix import Mixture, mixtures, write_mixed
from unisearch.catalog.check import Problem
from unisearch.catalog.mending import Mending
from unisearch.catalog.rows import ItemRow, PartitionRow
from unisearch.catalog.write import Writing
from unisearch.errors import display
from unisearch.health.partitions import PartitionHealth, examine, wanted_in, without_partition
from unisearch.index import durable
from unisearch.index.compact import copy_live
from unisearch.index.rows import BLOCK_ROWS
from unisearch.records import Block, PartitionState
from unisearch.wiring import Rooms, row_files


class Recovery:
    """done, again, lost: the report's lists, to which it adds."""

    def __init__(self, rooms: Rooms, done: list[str], again: list[bytes], lost: list[str]) -> None:
        self._rooms = rooms
        self._done, self._again, self._lost = done, again, lost
        self._old: list[Path] = []  # files of epochs that were left
        self._new: list[Path] = []

    def mend(self, tx: Writing, problems: Iterable[Problem], dry_run: bool) -> None:
        """Everything but snapshots. What it wrote outside of the transaction goes on failure."""
        kinds = {problem.kind for problem in problems}
        redrawn = {problem.partition for problem in problems if problem.kind == "background"}
        try:
            # Deleting a segment tells the full-text table of its old words: that must be sound.
            if "words" in kinds:
                self._note(Mending(tx).texts())
                Mending(tx).words()
                self._done.append("words for searching and shown names: made anew")
            self._done += mend_extents(tx, self._rooms.library)
            dead = {one.id: one.dead for one in tx.all_partitions()}
            self._mend_records(tx)
            left = [one.id for one in tx.all_partitions() if one.dead != dead[one.id]]
            changed = self._mend_rows(tx, left, dry_run)
            for partition in tx.all_partitions():
                force = partition.id in redrawn | changed
                if not dry_run:  # then the new epochs are not there
                    renew(tx, self._rooms.library, partition, force=force)
                if partition.id in redrawn:
                    where = f"{partition.space}/{partition.modality}"
                    self._done.append(f"the background of {where}: drawn anew")
        except BaseException:
            durable.unlink(self._new)
            raise

    def clear(self) -> None:
        """Remove the epochs that were left. Call after the commit."""
        durable.unlink(self._old)

    def _mend_records(self, tx: Writing) -> None:
        before = set(tx.waiting())
        if self._note(Mending(tx).records()):
            Mending(tx).words()  # a name's words hold those of its content
        self._note_waiting(tx, before)

    def _note(self, mended: tuple[list[str], list[str]]) -> bool:
        """Report what was done and lost; whether there was anything."""
        done, lost = mended
        self._done += done
        self._lost += lost
        return bool(done or lost)

    def _note_waiting(self, tx: Writing, before: set[bytes]) -> None:
        """What lost its content since then is read again by the next run, when it is there."""
        for path in sorted(set(tx.waiting()) - before):
            if os.path.isfile(path):  # noqa: PTH113 (bytes)
                self._again.append(path)

    def _mend_rows(self, tx: Writing, left: Iterable[int], dry_run: bool) -> set[int]:
        """The partitions whose rows changed. left: those whose dead rows are other ones now"""
        found = [examine(self._rooms, tx, partition) for partition in tx.all_partitions()]
        mixed = mixtures(tx, found)
        missing: dict[str, list[int]] = defaultdict(list)
        for one in found:
            again = mixed.get(one.partition.id)
            lost = one.missing if again is None else np.setdiff1d(one.missing, again.keys)
            missing[one.partition.space] += lost.tolist()
        for (space, _), segments in without_partition(tx).items():
            missing[space] += segments.tolist()
        self._read_again(tx, missing)
        changed = set()
        for one in found:
            wanted = wanted_in(tx, one.partition)
            live = one.rows.sound[np.isin(one.rows.keys, wanted)]
            if one.partition.id in mixed:
                self._mix_again(tx, one, live, mixed[one.partition.id], wanted, dry_run)
                changed.add(one.partition.id)
                continue
            dead = np.setdiff1d(np.arange(one.rows.count), live, assume_unique=True)
            if self._mend_partition(tx, one, dead, one.partition.id in left, dry_run):
                changed.add(one.partition.id)
        return changed

    def _mend_partition(
        self,
        tx: Writing,
        health: PartitionHealth,
        dead: NDArray[np.int64],
        left: bool,
        dry_run: bool,
    ) -> bool:
        """Only those rows live that are sound and belong to a segment; whether that is new."""
        rows, partition = health.rows, health.partition
        where = f"vectors {partition.space}/{partition.modality}"
        # Within an epoch the dead only grow: readers tell them apart by their number.
        revived = len(np.setdiff1d(health.state.dead, dead))
        if rows.torn or rows.damaged or rows.disorder or revived or left:
            kept = rows.count - len(dead)
            self._done.append(f"{where}: {kept:,} sound rows kept in a new epoch")
            if not dry_run:
                self._new_epoch(tx, health, dead)
            return True
        if len(dead) == len(health.state.dead):
            return False
        added = len(dead) - len(health.state.dead)
        self._done.append(f"{where}: {added:,} rows of no segment marked as dead")
        tx.bury(partition, dead)
        return True

    def _mix_again(
        self,
        tx: Writing,
        health: PartitionHealth,
        live: NDArray[np.int64],
        mixture: Mixture,
        wanted: NDArray[np.int64],
        dry_run: bool,
    ) -> None:
        """The sound rows that live, and what can be mixed of the lost ones, in a new epoch."""
        partition = health.partition
        keys = np.intersect1d(mixture.keys, wanted, assume_unique=True)
        where = f"vectors {partition.space}/{partition.modality}"
        self._done.append(
            f"{where}: {len(live):,} sound rows kept and {len(keys):,} mixed again from their"
            " parts, in a new epoch"
        )
        if not dry_run:
            epoch = self._next_epoch(health)
            count, sealed = write_mixed(self._rooms.library, health, live, mixture, keys, epoch)
            _switch(tx, partition, epoch, count, sealed)

    def _new_epoch(self, tx: Writing, health: PartitionHealth, dead: NDArray[np.int64]) -> None:
        """Copy the rows that live into an epoch of their own and switch to it."""
        partition, state = health.partition, health.state
        files, epoch = row_files(self._rooms.library, partition), self._next_epoch(health)
        # Behind the last sound row nothing may be there.
        sound = health.rows.sound
        block = int(sound[-1]) // BLOCK_ROWS + 1 if len(sound) else 0
        count = min(state.count, block * BLOCK_ROWS)
        rest = PartitionState(state.epoch, count, dead[dead < count])
        blocks = tx.blocks(partition.space, partition.modality)
        kept, sealed = copy_live(files, rest, blocks, epoch) if count else (0, [])
        _switch(tx, partition, epoch, kept, sealed)

    def _next_epoch(self, health: PartitionHealth) -> int:
        """A number above all that lie there, whose files go when the transaction fails."""
        files = row_files(self._rooms.library, health.partition)
        stored = files.stored()
        epoch = max([health.state.epoch, *stored]) + 1
        self._new += files.paths(epoch)
        self._old += [path for paths in stored.values() for path in paths]
        return epoch

    def _read_again(self, tx: Writing, missing: Mapping[str, Sequence[int]]) -> None:
        """Files whose vectors are missing are to be read again; of others say what is lost.

        missing: segments by space. A file that is out of reach and whose vectors another space
        still has stays there, and lacks those until it is back. Of any other one those parts stay
        that all spaces have: the rest comes back with the file, too.
        """
        lacking: dict[int, dict[str, list[int]]] = defaultdict(dict)
        for space, ids in missing.items():
            for content, segments in tx.contents_of(ids).items():
                lacking[content][space] = segments
        gone: list[int] = []
        known: list[int] = []
        count = 0
        for content, spaces in lacking.items():
            segments = sorted({segment for ids in spaces.values() for segment in ids})
            count += len(segments)
            items = tx.items_of(content)
            if any(os.path.isfile(item.path) for item in items):  # noqa: PTH113 (bytes)
                known.append(content)
            elif _held_elsewhere(tx, content, spaces):
                count -= len(segments)
                for space in spaces:
                    tx.put_gap(space, content, "away")
                    self._done += [_lacks(item, space) for item in items]
            else:
                gone += segments
                self._lost += [_lost(item, len(segments)) for item in items]
                if any(map(_may_return, items)) and len(segments) < len(tx.parts_of(content)):
                    _note_gaps(tx, content, spaces)
        if not known and not gone:
            return
        before = set(tx.waiting())
        Mending(tx).let_go(known)
        Mending(tx).drop_segments(gone)
        Mending(tx).records()
        Mending(tx).words()
        self._done.append(f"{count:,} segments without a vector dropped")
        self._note_waiting(tx, before)


def _switch(
    tx: Writing, partition: PartitionRow, epoch: int, count: int, sealed: Sequence[Block]
) -> None:
    now = PartitionState(partition.epoch, partition.count, np.arange(partition.dead))
    tx.switch_epoch(partition, now, epoch, count, sealed)


def _held_elsewhere(tx: Writing, content: int, lacking: Collection[str]) -> bool:
    """Whether a space that lacks nothing of the content has its vectors."""
    kinds = {part.span.modality for part in tx.parts_of(content) if part.span.modality}
    gaps = {space for owed, space, _ in tx.gaps() if owed.content == content}
    return any(
        row.state != "building" and any(map(row.covers, kinds))
        for row in tx.spaces_and_parts()
        if row.id not in {*lacking, *gaps}
    )


def _may_return(item: ItemRow) -> bool:
    """Whether the file may only be out of reach."""
    return not in_reach(item) or not is_gone(item.path)


def _note_gaps(tx: Writing, content: int, spaces: Iterable[str]) -> None:
    """Have the content embedded anew when its file is back."""
    known = {space for owed, space, _ in tx.gaps() if owed.content == content}
    for space in {*spaces} - known:
        tx.put_gap(space, content, "part")


def _lacks(item: ItemRow, space: str) -> str:
    return f"{display(item.path)}: not in the space '{space}' until the file is back"


def _lost(item: ItemRow, segments: int) -> str:
    parts = "1 vector" if segments == 1 else f"{segments:,} vectors"
    until = "; it is read again when it is back" if _may_return(item) else ""
    return f"{display(item.path)}: {parts} of item {item.id}; the file is not there{until}"
