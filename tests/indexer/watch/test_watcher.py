"""Which folders are watched, how, and what is done when the system has no more watches."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from indexer.watch import targets
from indexer.watch.backoff import LONGEST_S, Backoff
from indexer.watch.folders import Folders, Listener, NoWatches
from indexer.watch.hints import Hint
from indexer.watch.targets import Target, targets_of, way_of
from indexer.watch.watcher import Watcher
from tests.indexer.watch.daemons import until
from unisearch.catalog.rows import RootRow
from unisearch.sections import WatchSettings


class Source:
    """A system that gives so many watches, numbered from 1."""

    def __init__(self, most: int = 1_000) -> None:
        self.most = most
        self.watched: dict[WatchDescriptor, bytes] = {}
        self._next = 0

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        if len(self.watched) >= self.most:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        self._next += 1
        self.watched[WatchDescriptor(self._next)] = path
        return WatchDescriptor(self._next)

    def remove_callbacks(self, callbacks: list[tuple[WatchDescriptor, CallbackId]]) -> None:
        for wd, _ in callbacks:
            del self.watched[wd]

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None:
        self.watched.clear()


class Heard:
    """What a watcher tells."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.lost = 0
        self.full: list[bytes] = []

    def listener(self) -> Listener:
        return Listener(self.hints.append, self.lose, lambda root, _: self.full.append(root))

    def lose(self) -> None:
        self.lost += 1

    def paths(self, root: Path) -> list[tuple[str, str]]:
        return [(os.path.relpath(os.fsdecode(one.path), root), one.kind) for one in self.hints]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def event(source: Source, folder: Path, mask: int, name: str) -> InotifyEvent:
    [wd] = [wd for wd, path in source.watched.items() if path == bytes(folder)]
    return InotifyEvent(wd, Mask(mask), 0, name.encode())


def test_hidden_folders_and_those_of_systems_need_no_watch(tmp_path: Path, heard: Heard) -> None:
    folders(tmp_path, "a/b", ".git/objects", "node_modules/x")
    source = Source()

    Folders(source, heard.listener()).add(bytes(tmp_path), deep=True)

    seen = {os.path.relpath(os.fsdecode(path), tmp_path) for path in source.watched.values()}
    assert seen == {".", "a", "a/b"}


def test_a_tree_that_is_moved_is_watched_where_it_is(tmp_path: Path, heard: Heard) -> None:
    folders(tmp_path, "old/deep")
    source = Source()
    watched = Folders(source, heard.listener())
    watched.add(bytes(tmp_path), deep=True)
    (tmp_path / "old").rename(tmp_path / "new")
    is_dir = InotifyConstants.IN_ISDIR

    watched.on_event(event(source, tmp_path, InotifyConstants.IN_MOVED_FROM | is_dir, "old"))
    watched.on_event(event(source, tmp_path, InotifyConstants.IN_MOVED_TO | is_dir, "new"))
    written = InotifyConstants.IN_CLOSE_WRITE
    watched.on_event(event(source, tmp_path / "new" / "deep", written, "a.txt"))

    told = heard.paths(tmp_path)
    assert told == [
        ("old", "gone"),
        ("new", "arrived"),
        ("new", "arrived"),
        ("new/deep/a.txt", "written"),
    ]
    assert len(source.watched) == len(watched) == 3


def test_a_whole_root_below_a_folder_of_single_files_keeps_its_watches(
    tmp_path: Path, heard: Heard
) -> None:
    folders(tmp_path, "whole")
    source = Source()
    watched = Folders(source, heard.listener())
    watched.add(bytes(tmp_path), deep=False)
    watched.add(bytes(tmp_path / "whole"), deep=True)
    folders(tmp_path, "whole/new")

    made = InotifyConstants.IN_CREATE | InotifyConstants.IN_ISDIR
    watched.on_event(event(source, tmp_path / "whole", made, "new"))
    watched.remove(bytes(tmp_path))

    seen = {os.path.relpath(os.fsdecode(path), tmp_path) for path in source.watched.values()}
    assert seen == {"whole", "whole/new"}


def test_files_that_came_with_a_new_folder_are_told(tmp_path: Path, heard: Heard) -> None:
    source = Source()
    watched = Folders(source, heard.listener())
    watched.add(bytes(tmp_path), deep=True)
    folders(tmp_path, "new/deep")
    (tmp_path / "new" / "deep" / "a.txt").touch()
    made = InotifyConstants.IN_CREATE | InotifyConstants.IN_ISDIR

    watched.on_event(event(source, tmp_path, made, "new"))

    assert heard.paths(tmp_path) == [("new/deep/a.txt", "seen")]
    assert len(source.watched) == 3


def test_too_few_watches_give_none_at_all(tmp_path: Path, heard: Heard) -> None:
    folders(tmp_path, "a", "b", "c")
    source = Source(most=2)
    watched = Folders(source, heard.listener())

    with pytest.raises(NoWatches):
        watched.add(bytes(tmp_path), deep=True)

    assert (len(watched), source.watched) == (0, {})


def test_a_new_folder_without_a_watch_is_told(tmp_path: Path, heard: Heard) -> None:
    source = Source(most=1)
    watched = Folders(source, heard.listener())
    watched.add(bytes(tmp_path), deep=True)
    folders(tmp_path, "new")
    made = InotifyConstants.IN_CREATE | InotifyConstants.IN_ISDIR

    watched.on_event(event(source, tmp_path, made, "new"))

    assert heard.full == [bytes(tmp_path)]


def test_roots_neither_come_nor_go_while_they_are_looked_through(
    tmp_path: Path, heard: Heard
) -> None:
    source = Source(most=1)
    watched = Folders(source, heard.listener())
    watched.add(bytes(tmp_path), deep=True)
    folders(tmp_path, "new")
    made = InotifyConstants.IN_CREATE | InotifyConstants.IN_ISDIR
    others: list[bool] = []

    def another() -> None:
        others.append(watched._lock.acquire(blocking=False))
        if others[-1]:
            watched._lock.release()

    class Roots(dict[bytes, bool]):
        def __iter__(self) -> Iterator[bytes]:
            thread = threading.Thread(target=another)
            thread.start()
            thread.join()
            return super().__iter__()

    watched._roots = Roots(watched._roots)

    watched.on_event(event(source, tmp_path, made, "new"))

    assert heard.full == [bytes(tmp_path)]
    assert others
    assert not any(others)


@pytest.fixture
def watcher(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """On a system with room for two folders."""
    monkeypatch.setattr("indexer.watch.folders.inotify", lambda: Source(most=2))
    watcher = Watcher(WatchSettings(poll_s=0.05), heard.hints.append, heard.lose)
    yield watcher
    watcher.stop()


def test_without_watches_a_root_is_looked_through_and_told_once(
    watcher: Watcher, heard: Heard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders(tmp_path, "many/a", "many/b", "many/c", "few")
    wanted = [Target(bytes(tmp_path / name), True) for name in ("many", "few")]

    changed = [watcher.keep(wanted) for _ in range(3)]

    assert changed == [[bytes(tmp_path / "many"), bytes(tmp_path / "few")], [], []]
    assert watcher.told == "2 folders (1 by polling)"
    [record] = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "fs.inotify.max_user_watches" in record.getMessage()
    until(lambda: ("many", "written") in heard.paths(tmp_path))
    (tmp_path / "many" / "c" / "new.txt").write_text("New.")
    until(lambda: ("many/c/new.txt", "seen") in heard.paths(tmp_path))


def test_a_full_folder_that_is_told_while_others_are_dealt_with_is_not_forgotten(
    watcher: Watcher, tmp_path: Path
) -> None:
    folders(tmp_path, "a", "b")
    wanted = [Target(bytes(tmp_path / name), True) for name in ("a", "b")]
    watcher.keep(wanted)
    error = NoWatches(errno.ENOSPC, "no more watches")
    watcher._full.append((bytes(tmp_path / "a"), error))
    tell = watcher._full.append  # of another thread, which is about to call it

    watcher.keep(wanted)
    tell((bytes(tmp_path / "b"), error))
    watcher.keep(wanted)

    assert watcher.told == "2 folders (2 by polling)"


def test_a_folder_that_goes_and_comes_back_is_told_once_each(
    watcher: Watcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    root, away = tmp_path / "root", tmp_path / "away"
    root.mkdir()
    wanted = [Target(bytes(root), True)]
    watcher.keep(wanted)

    root.rename(away)
    gone = [watcher.keep(wanted) for _ in range(2)]
    away.rename(root)
    back = [watcher.keep(wanted) for _ in range(2)]

    assert (gone, back) == ([[], []], [[bytes(root)], []])
    messages = [record.getMessage() for record in caplog.records]
    assert sum("its files stay in the library" in message for message in messages) == 1
    assert sum("is there again" in message for message in messages) == 1


def test_targets_are_roots_or_what_was_asked_for_and_none_lies_in_another(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.touch()
    roots = [
        RootRow(1, b"/a", True, 0),
        RootRow(2, b"/a/b", True, 0),
        RootRow(3, b"/a/c", False, 0),
        RootRow(4, b"/d", False, 0),
    ]

    assert targets_of(roots, []) == [Target(b"/a", True), Target(b"/d", False)]
    assert targets_of(roots, [b"/a/b/x"]) == [Target(b"/a/b/x", True)]
    assert targets_of(roots, [bytes(file)]) == [Target(bytes(tmp_path), False)]


@pytest.mark.parametrize(
    ("kind", "polling", "way"),
    [
        ("ext4", "auto", "events"),
        ("nfs4", "auto", "polling"),
        ("ext4", "always", "polling"),
        ("nfs4", "never", "events"),
    ],
)
def test_network_drives_are_looked_through(
    monkeypatch: pytest.MonkeyPatch, kind: str, polling: targets.Polling, way: str
) -> None:
    monkeypatch.setattr(targets, "mounted", lambda folder: (kind, b"/m"))
    monkeypatch.setattr("sys.platform", "linux")

    assert way_of(b"/m/x", polling) == way


def test_errors_in_a_row_are_told_once_and_waited_for_twice_as_long_each_time() -> None:
    now = 0.0
    backoff = Backoff(lambda: now)

    news = [backoff.failed("broken") for _ in range(3)]
    wait_s = backoff.wait_s
    for _ in range(20):
        backoff.failed("broken")

    assert (news, wait_s, backoff.wait_s) == ([True, False, False], 4.0, LONGEST_S)
    assert [backoff.worked(), backoff.worked()] == [True, False]
    assert backoff.failed("broken")
    assert backoff.wait_s == 1.0
