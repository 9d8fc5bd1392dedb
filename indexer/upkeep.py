"""What keeps a growing library fast: compaction, and snapshots built beside the running work."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import IO

import numpy as np
from numpy.typing import NDArray

from indexer.compaction import compact
from unisearch.catalog.rows import PartitionRow
from unisearch.errors import LibraryDamaged, display
from unisearch.held import at_hand
from unisearch.index.bits import draw_live
from unisearch.index.build import Job
from unisearch.index.halves_view import faiss_reads_halves, faiss_sees_gpus
from unisearch.index.plan import next_step
from unisearch.index.snapshot import SnapshotFolder
from unisearch.records import Modality, PartitionState
from unisearch.wiring import Rooms, gpu_rows, row_files, rules, snapshots

logger = logging.getLogger(__name__)

_POLL_S = 0.1


class Upkeep:
    """Looks after the partitions of a library. For the holder of the writer's lock only.

    Snapshots are built one at a time, in a child process, so that reading and writing go on.
    Use as a context manager: leaving it stops a build, which the next run begins anew.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._child: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._what = ""
        self._for = 0  # partition
        self._failed: set[int] = set()  # partitions whose build failed in this run
        # They remember what they verified.
        self._folders: dict[tuple[str, Modality], SnapshotFolder] = {}

    def look(self) -> None:
        """Begin what is due, without waiting. Cheap: for after each commit."""
        if self._building():
            return
        for partition in self._partitions():
            if partition.count > self._rooms.settings.vectors.exact_rows and self._begin(partition):
                return

    def steps(self, tell: Callable[[str], object] = lambda _: None) -> Iterator[None]:
        """Do all that is due: compaction, then snapshots, until nothing is left to do.

        Between two steps everything is committed and others may write; while a build is waited
        for there are ten steps a second.
        tell: called before each wait with what is being done; may raise to end the waiting
        """
        yield from self._wait(tell)
        for partition in self._partitions():
            if compact(self._rooms, partition):
                yield
        self.look()
        while self._building():
            yield from self._wait(tell)
            self.look()

    def finish(self, tell: Callable[[str], object] = lambda _: None) -> None:
        """All the steps."""
        for _ in self.steps(tell):
            pass

    def stop(self) -> None:
        """End a build that is under way; what it wrote is dropped by the next one."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
            self._close_errors()

    def __enter__(self) -> Upkeep:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _partitions(self) -> list[PartitionRow]:
        with self._rooms.catalog.view() as view:
            return view.all_partitions()

    def _begin(self, partition: PartitionRow) -> bool:
        """Start the next build of a partition; whether there was one to do."""
        if partition.id in self._failed or not faiss_reads_halves():
            return False
        job = self._job(partition)
        if job is None:
            return False
        self._what = (
            f"building the index of {job.step.stop - job.step.start:,} {partition.modality} vectors"
        )
        logger.info("%s: %s", display(job.folder), self._what)
        with tempfile.TemporaryFile() as parcel:
            pickle.dump(job, parcel)
            parcel.seek(0)
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
            try:
                # A session of its own: Ctrl-C is for us, who then end it.
                self._child = subprocess.Popen(
                    [sys.executable, "-P", "-m", "unisearch.index.build"],
                    stdin=parcel,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    start_new_session=True,
                )
            except BaseException:
                self._close_errors()
                raise
        self._for = partition.id
        return True

    def _job(self, partition: PartitionRow) -> Job | None:
        """What to build next for a partition, or None."""
        settings = rules(self._rooms.settings)
        folder = self._folder(partition)
        files = row_files(self._rooms.library, partition)
        with self._rooms.catalog.view() as view:
            states, space = view.partitions(partition.space), view.space(partition.space)
        if space is None:  # dropped; or parts, which nobody searches
            return None
        state = states[partition.modality]
        mix = {str(name): _live(one) for name, one in states.items() if name != partition.modality}
        try:
            keys = files.open(state.epoch, state.count).keys
        except LibraryDamaged as error:
            logger.warning("%s; no snapshot is built", error)
            return None
        chain = folder.chain(state.epoch, state.count, keys)
        sound = all(folder.is_sound(one) for one in chain)
        step = next_step(state.count, chain if sound else [], mix, settings)
        if step is None:
            return None
        return Job(
            files=files,
            folder=folder.path,
            modality=partition.modality,
            epoch=state.epoch,
            count=state.count,
            dead=state.dead,
            step=step,
            kind=self._kind(partition, state.count),
            recall=settings.recall,
            queries=dict(self._queries(partition, states, settings.tuning_queries)),
            mix=mix,
            own_queries=settings.tuning_queries,
            parent=os.getpid(),
        )

    def _kind(self, partition: PartitionRow, count: int) -> str:
        """Codes that FAISS can search on a GPU, where the rows themselves do not fit there."""
        vectors = self._rooms.settings.vectors
        if vectors.gpu == "off" or not faiss_sees_gpus():
            return "fast"
        return "fast" if count <= gpu_rows(self._rooms.settings, partition.dim) else "gpu"

    def _folder(self, partition: PartitionRow) -> SnapshotFolder:
        which = partition.space, partition.modality
        if which not in self._folders:
            self._folders[which] = snapshots(self._rooms.library, *which)
        return self._folders[which]

    def _queries(
        self, partition: PartitionRow, states: Mapping[Modality, PartitionState], wanted: int
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Vectors to measure with: of the other modalities stored ones, else the space's own."""
        for modality, state in states.items():
            if modality == partition.modality or _live(state) < wanted:
                continue
            some = draw_live(state.count, state.dead, wanted, np.random.default_rng(2))
            files = row_files(self._rooms.library, replace(partition, modality=modality))
            yield modality, files.open(state.epoch, state.count).vectors[some].astype(np.float32)
        with self._rooms.catalog.view() as view:
            row = view.space(partition.space)
        space = at_hand(self._rooms, row) if row else None
        if space is None:
            return
        for modality in space.modalities:
            known = states.get(modality)
            if modality == partition.modality or known is None or _live(known) < wanted:
                yield modality, np.asarray(space.reference(modality), np.float32)[:wanted]

    def _building(self) -> bool:
        """Whether a build is under way; one that ended is noted."""
        if self._child is None:
            return False
        if self._child.poll() is None:
            return True
        assert self._errors is not None
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        self._close_errors()
        if self._child.returncode:
            self._failed.add(self._for)
            reason = said[-1] if said else f"ended with {self._child.returncode}"
            logger.warning("%s failed: %s; search stays exact there", self._what, reason)
        self._child = None
        return False

    def _close_errors(self) -> None:
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _wait(self, tell: Callable[[str], object]) -> Iterator[None]:
        """Steps until the build that is under way ends."""
        while self._building():
            tell(self._what)
            yield
            time.sleep(_POLL_S)


def _live(state: PartitionState) -> int:
    return state.count - len(state.dead)
