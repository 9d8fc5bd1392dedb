"""Mends a library as far as it can be mended without guessing, and says what is lost.

Vectors cannot be made up: files whose vectors are damaged are to be read again by the next
`index`, with their ids and tags as they were. What is made from catalogue and rows (snapshots,
samples, words for searching) is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexer.compaction import tidy
from indexer.holder import alone
from indexer.recover import Recovery
from indexer.redraw import redraw, without_previews
from indexer.upkeep import Upkeep
from unisearch.catalog.write import Writing
from unisearch.config import Settings
from unisearch.errors import LibraryDamaged, LibraryMissing, display
from unisearch.health.partitions import examine_snapshots
from unisearch.health.strays import copies, left_behind
from unisearch.index import durable
from unisearch.wiring import CATALOG_FILE, Rooms, open_rooms, snapshots

#: Called while something takes its time, with what it is.
Beat = Callable[[str], None]


class _Undone(Exception):
    """Ends the transaction of a dry run."""


@dataclass
class Repaired:
    """What became of it, a line each.

    done: what was mended; again: files to be read again by the next `index`
    lost: what cannot be brought back; left: what is still wrong, and what to do
    """

    done: list[str] = field(default_factory=list)
    again: list[bytes] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def repair(settings: Settings, *, dry_run: bool = False, beat: Beat = lambda _: None) -> Repaired:
    """Mend the library of these settings; with `dry_run` only say what would be done.

    Raises LibraryMissing, LibraryTooNew, and LibraryLocked while another process writes.
    """
    if not (settings.library / CATALOG_FILE).exists():
        raise LibraryMissing(f"{display(settings.library)}: no library there")
    report = Repaired()
    with alone(settings.library):
        try:
            rooms = open_rooms(settings, write=not dry_run)
        except LibraryDamaged as error:
            report.left += [str(error), *_ways_out(settings)]
            return report
        with rooms:
            _mend(rooms, report, dry_run, beat)
    return report


def _mend(rooms: Rooms, report: Repaired, dry_run: bool, beat: Beat) -> None:
    beat("reading the catalogue")
    with rooms.catalog.view() as view:
        problems = view.problems()
        pages = [problem.message for problem in problems if problem.kind == "pages"]
        tables = view.readable() if pages else {}
    if pages:
        report.left += pages
        report.lost += _unreadable(tables)
        report.left += _ways_out(rooms.settings)
        return
    beat("reading every vector")
    recovery = Recovery(rooms, report.done, report.again, report.lost)
    with _transaction(rooms, dry_run) as tx:
        recovery.mend(tx, problems, dry_run)
    if not dry_run:
        recovery.clear()
    _drop_strays(rooms, report, dry_run)
    _mend_snapshots(rooms, report, dry_run, beat)
    _draw_previews(rooms, report, dry_run, beat)


@contextmanager
def _transaction(rooms: Rooms, dry_run: bool) -> Iterator[Writing]:
    """A write transaction; a dry run does the same and undoes it at the end."""
    if not dry_run:
        with rooms.catalog.write() as tx:
            yield tx
        return
    with open_rooms(rooms.settings, write=True) as writable:
        try:
            with writable.catalog.write() as tx:
                yield tx
                raise _Undone
        except _Undone:
            pass


def _drop_strays(rooms: Rooms, report: Repaired, dry_run: bool) -> None:
    with rooms.catalog.view() as view:
        paths = left_behind(rooms, view.all_partitions())
    report.done += [f"{display(path)}: left behind, removed" for path in paths]
    if not dry_run:
        durable.unlink(paths)
        tidy(rooms)


def _mend_snapshots(rooms: Rooms, report: Repaired, dry_run: bool, beat: Beat) -> None:
    """Remove what is damaged, of other rows or replaced; then build what is due."""
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
        states = {one.id: view.partitions(one.space)[one.modality] for one in partitions}
    for partition in partitions:
        beat(f"reading the snapshots of {partition.modality}")
        check = examine_snapshots(rooms, partition, states[partition.id])
        report.done += [f"{line}: snapshot removed" for line in check.damaged]
        where = f"{partition.space}/{partition.modality}"
        for generation in (*check.foreign, *check.spare):
            report.done.append(f"snapshot {generation} of {where}: of no use, removed")
        if not dry_run and (check.damaged or check.foreign or check.spare):
            folder = snapshots(rooms.library, partition.space, partition.modality)
            folder.keep_only(list(check.chain))
    if dry_run:
        return
    before = _generations(rooms)
    with Upkeep(rooms) as upkeep:
        upkeep.finish(beat)
    built = _generations(rooms) - before
    report.done += [
        f"snapshot {generation} of {where} built" for where, generation in sorted(built)
    ]


def _draw_previews(rooms: Rooms, report: Repaired, dry_run: bool, beat: Beat) -> None:
    wanted = rooms.settings.previews.enabled
    count = len(without_previews(rooms)) * wanted if dry_run else redraw(rooms, beat)
    if count:
        report.done.append(f"previews of {count:,} file{'s' * (count > 1)}: drawn anew")


def _generations(rooms: Rooms) -> set[tuple[str, int]]:
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
    return {
        (f"{one.space}/{one.modality}", generation)
        for one in partitions
        for generation in snapshots(rooms.library, one.space, one.modality).generations()
    }


def _unreadable(tables: dict[str, tuple[int, bool]]) -> list[str]:
    """What of a damaged catalogue can still be read."""
    lines = []
    for table, (rows, whole) in tables.items():
        if not whole:
            lines.append(f"{table}: {rows:,} rows can be read, those behind them cannot")
    return lines


def _ways_out(settings: Settings) -> list[str]:
    """What can be done about a catalogue whose pages are damaged."""
    where = display(settings.library)
    kept = "".join(f"; an older catalogue is {display(copy)}" for copy in copies(settings.library))
    return [
        f"nothing was changed: restore a copy of {where}{kept}",
        f"or move {where} away and run 'unisearch index' of your folders: ids and tags are lost",
    ]


__all__ = ["Repaired", "repair"]
