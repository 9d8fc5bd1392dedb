"""The writer of a library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from indexer.ask import Asking
from indexer.compaction import tidy
from indexer.desk import Handed
from indexer.foresee import Foresight, foresee_first
from indexer.handover import Job
from indexer.holder import Holder
from indexer.meter import Meter
from indexer.places import refuse_own, resolve
from indexer.report import Progress, Report
from indexer.steps import needs_of
from indexer.work import ProgressHook, Spare
from unisearch.catalog.folders import real
from unisearch.catalog.rows import Goal
from unisearch.config import Settings, load_settings
from unisearch.errors import LibraryMissing, display
from unisearch.factors import Factors, factors_of, told
from unisearch.wiring import Rooms, check_folder, has_catalog, open_rooms

AnyPath = Path | str | bytes


class Indexer:
    """Writes to one library. As a context manager it holds the writer's lock from the first call
    that writes to the end, and otherwise during each call: no file is open between two of them.

    library: the folder, else the configured one; the first `run` makes it
    meter: what was done and is being done, for whoever looks
    While another process holds the lock, a call has its work done there, with the same progress
    and the same end. It raises LibraryLocked only when that process does not answer.
    """

    def __init__(
        self, library: Path | str | None = None, *, settings: Settings | None = None
    ) -> None:
        settings = settings or load_settings()
        if library is not None:
            settings = settings.model_copy(update={"library": Path(library)})
        self.settings = settings
        self.meter = Meter()
        self._rooms: Rooms | None = None
        self._keeps = False
        self._kept: Holder | None = None

    def run(
        self,
        paths: Iterable[AnyPath] | AnyPath,
        *,
        dry_run: bool = False,
        retry: bool = False,
        thorough: bool = False,
        progress: ProgressHook | None = None,
    ) -> Report:
        """Bring the library in step with these files and folders; unreadable files are reported.

        dry_run: count what would happen and write nothing
        retry: try unchanged files that failed before again (a new package, a raised limit)
        thorough: compare the content also of files that seem unchanged where the file system cannot
            tell for sure (FAT, network drives, FUSE, overlay): reads each of them once
        progress: called after each file, and again while other processes have a turn
        Raises UsageError for an empty path, UnisearchError for one that does not exist or lies in
        the library, LibraryError for a folder that cannot become one and ForeignSpace for a
        library of another space.
        KeyboardInterrupt passes through after what is encoded was stored.
        """
        places = resolve([paths] if isinstance(paths, AnyPath) else paths)
        check_folder(self.settings.library)
        refuse_own(places, self.settings.library)
        if dry_run:
            return self._foresee(places, retry, thorough)
        job = Job(
            "index", tuple(places), retry=retry, needs=needs_of(self.settings), thorough=thorough
        )
        report = self._do(job, progress)
        assert isinstance(report, Report)
        return report

    def finish(self, progress: ProgressHook | None = None) -> None:
        """Draw the previews that runs leave to later. An indexer that keeps the lock does so by
        itself between two calls.

        progress: called while that goes on
        Where another process writes, nothing is done: that one will. What is left after
        KeyboardInterrupt, the next one to write draws.
        """
        if not has_catalog(self.settings.library):
            return

        def tell(doing: str) -> None:
            if progress is not None:
                progress(Progress({}, {}, 0, 0, 0.0, b"", doing))

        with self._holder() as holder:
            if holder is not None:
                holder.finish(tell)

    def refresh(
        self,
        places: Sequence[bytes],
        *,
        progress: ProgressHook | None = None,
        spare: Spare | None = None,
        thorough: bool = False,
    ) -> Report:
        """Bring the library in step with places below its roots, there or not: for a watcher.

        places: real paths. What is gone there is dropped, if its root is in reach; no root is made
        thorough: as of `run`
        spare: asked with the paths that are about to be dropped: those that it gives back stay
            this time, and are in the report. A process that the job is handed to keeps them all
        Raises LibraryMissing when there is no library, and what `run` raises.
        """
        self._need_library()
        job = Job(
            "index", tuple(places), needs=needs_of(self.settings), hinted=True, thorough=thorough
        )
        report = self._do(job, progress, spare)
        assert isinstance(report, Report)
        return report

    def beside(self, places: Sequence[bytes]) -> Handed | None:
        """Begin to do as `refresh` while another call goes on in this process: for its hook.

        Returns at once; the job has an `end` when it is done. None when nobody writes here.
        What is gone is not dropped: the call that goes on may come to where it was moved.
        """
        if self._kept is None:
            return None
        job = Job("index", tuple(places), needs=needs_of(self.settings), hinted=True)
        return self._kept.beside(job)

    def adopt(self, settings: Settings) -> None:
        """From the next call on these settings hold. The library, the space and its device stay."""
        self._let_go()
        self.settings = settings
        if self._rooms is not None:
            self._rooms.settings = settings

    def make_way(self) -> bool:
        """Let go of the lock when another process waits for it, whose run cannot be done here.

        Whether it was so. The next call takes the lock again, or hands its job over.
        """
        if self._kept is None or not self._kept.is_in_the_way:
            return False
        self._let_go()
        return True

    def hurry(self) -> None:
        """`close` will finish nothing for others, but give it back."""
        if self._kept is not None:
            self._kept.hurry()

    def forget(self, path: AnyPath, *, now: bool = False) -> int:
        """Drop what is at and below a path from the library; how many files it knew there,
        those that could not be read included.

        The files stay as they are, and a later run over them finds them again.
        now: nothing of it, nor of what was forgotten before, is left below the library's folder
        """
        return self._change(Job("forget", (real(path),), now=now))

    def tag(self, items: Sequence[int], add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
        """Put words on items and take others off; how many items changed.

        Raises UnisearchError for an id that the library does not have, and then changes none.
        """
        return self._change(Job("tag", (), tuple(items), tuple(add), tuple(remove)))

    def remove_root(self, path: AnyPath) -> int:
        """Drop a root and all its items from the library; how many there were.

        Raises UnisearchError when that folder is no root.
        """
        return self._change(Job("remove_root", (real(path),)))

    def relocate(self, old: AnyPath, new: AnyPath) -> int:
        """A root's folder was moved: look for its items below `new`; how many there are.

        Raises UnisearchError when `old` is no root, `new` no folder, or another root is there.
        """
        return self._change(Job("relocate", (real(old), real(new))))

    def add_space(self, name: str, goal: Goal = "add") -> int:
        """Have the library hold that space, too: what it holds is embedded again from its files,
        by `build`, and meanwhile between the runs of whoever keeps the lock.

        goal: what becomes of the active spaces when it is complete, see Goal
        Returns how many vectors that takes. Raises UnknownName, WeightsError without its weights,
        and UnisearchError for a library that holds nothing.
        """
        return self._change(Job("add_space", space=name, goal=goal))

    def drop_space(self, name: str) -> int:
        """Drop a space by its name or id, with all its vectors; how many these were.

        Raises UnisearchError when there is none, and for the library's only active one.
        """
        return self._change(Job("drop_space", space=name))

    def turn(
        self,
        factors: str | Factors,
        space: str = "",
        *,
        progress: ProgressHook | None = None,
    ) -> int:
        """Have the vectors of a mixed space follow other factors, from their stored parts:
        nothing is embedded again, and questions are answered meanwhile.

        factors: as factors_of takes them; those that are not named stay
        space: its name or id, where the library has several with factors
        Returns how many vectors were made anew. Raises UnisearchError for a library without such a
        space, UsageError for a factor outside of [0, 1], UnknownName for no preset.
        """
        wanted = told(factors_of(factors))  # a mistake is told before anything waits for the lock
        self._need_library()
        count = self._do(Job("turn", space=space, factors=wanted), progress)
        assert isinstance(count, int)
        return count

    def build(self, progress: ProgressHook | None = None, *, wait: bool = False) -> bool:
        """Embed until all spaces are complete, as far as files are in reach; whether they are.

        wait: also where another process writes, and builds; else it is left to that one
        KeyboardInterrupt passes through; what was committed stays, and another call goes on.
        """
        self._need_library()
        if not wait:
            with self._holder() as holder:
                if holder is not None:
                    holder.do(Job("build"), progress)
                return holder is not None
        self._do(Job("build"), progress)
        return True

    def close(self) -> None:
        """Let go of the lock and the library."""
        try:
            self._let_go()
        finally:
            if self._rooms is not None:
                self._rooms.close()
                self._rooms = None

    def __enter__(self) -> Self:
        self._keeps = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _need_library(self) -> None:
        if not has_catalog(self.settings.library):
            raise LibraryMissing(f"{display(self.settings.library)}: no library there")

    def _change(self, job: Job) -> int:
        self._need_library()
        count = self._do(job)
        assert isinstance(count, int)
        return count

    def _do(
        self, job: Job, progress: ProgressHook | None = None, spare: Spare | None = None
    ) -> Report | int:
        """Do the job as the holder of the lock, or have the process do it that holds it."""
        asking, done = Asking(self.settings.library, job, progress), None
        while True:
            with self._holder() as holder:
                end = asking.ask() if holder is None else holder.do(job, progress, spare)
            if isinstance(end, int):
                return end
            if isinstance(end, Report):
                return end.after(done)
            done = end.report.after(done) if end.report else done  # it let go: we go on from there

    @contextmanager
    def _holder(self) -> Iterator[Holder | None]:
        """The holder that we are, None when another process is."""
        if self._kept is not None:
            yield self._kept
            return
        holder = Holder.take(self.settings, self._opened, self.meter)
        if holder is None:
            yield None
        elif self._keeps:
            self._kept = holder
            holder.stay()
            yield holder
        else:
            try:
                with closing(holder):
                    yield holder
            finally:
                if self._rooms is not None:
                    self._rooms.rest()

    def _opened(self) -> Rooms:
        """The rooms, opened for writing, without what a killed writer left; loaded spaces stay."""
        if self._rooms is None:
            self._rooms = open_rooms(self.settings, write=True)
        tidy(self._rooms)
        return self._rooms

    def _foresee(self, places: Sequence[bytes], retry: bool, thorough: bool) -> Report:
        try:
            rooms = open_rooms(self.settings)
        except LibraryMissing:
            return foresee_first(places, self.settings.index.ignore)
        with rooms:
            return Foresight(rooms, retry, thorough).over(places)
