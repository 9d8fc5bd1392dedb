"""The daemon as a process: what happens to files happens to the library."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import Indexer
from indexer.look import look
from tests.indexer.conftest import Library, text
from tests.indexer.watch.daemons import PATIENCE_S, Daemon, until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for tests that leave it as it was; each has a folder of its own."""
    library = Library(tmp_path_factory.mktemp("watched"))
    with Daemon(library, (library.media,)) as daemon:
        yield daemon


@pytest.fixture
def folder(shared: Daemon, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A new folder below the watched one, gone with all that it held when the test is over."""
    folder = shared.library.media / request.node.name
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)
    until(lambda: shared.holds()(), "what was deleted is dropped")


def test_a_new_file_is_found_and_so_is_its_change(shared: Daemon, folder: Path) -> None:
    file = text(folder / "owl.txt", "An owl hoots")
    until(shared.holds("owl.txt"))
    [before] = shared.library.items()

    text(file, "A wolf howls")

    until(lambda: shared.library.items()[0].content != before.content)
    assert shared.library.items()[0].id == before.id


def test_files_in_folders_that_were_just_made_are_found(shared: Daemon, folder: Path) -> None:
    for number in range(20):
        text(folder / f"{number}" / "deep" / "er" / f"{number}.txt", f"Number {number}")

    until(shared.holds(*(f"{number}.txt" for number in range(20))))


def test_a_moved_tree_keeps_its_items(shared: Daemon, folder: Path) -> None:
    for number in range(20):
        text(folder / "old" / f"{number}.txt", f"Number {number}")
    names = [f"{number}.txt" for number in range(20)]
    until(shared.holds(*names))
    before = {item.id for item in shared.library.items()}

    (folder / "old").rename(folder / "new")

    until(lambda: all(b"/new/" in item.path for item in shared.library.items()))
    assert {item.id for item in shared.library.items()} == before
    text(folder / "new" / "late.txt", "Later")
    until(shared.holds(*names, "late.txt"), "the moved folder is still watched")


def test_a_file_that_an_editor_replaces_keeps_its_item(shared: Daemon, folder: Path) -> None:
    file = text(folder / "owl.txt", "An owl hoots")
    until(shared.holds("owl.txt"))
    [before] = shared.library.items()

    text(folder / ".owl.txt.swp", "An owl sleeps").rename(file)

    until(lambda: shared.library.items()[0].content != before.content)
    assert shared.library.items()[0].id == before.id


def test_what_comes_from_outside_and_leaves_again_is_followed(
    shared: Daemon, folder: Path, tmp_path: Path
) -> None:
    text(tmp_path / "tree" / "deep" / "owl.txt", "An owl hoots")
    (tmp_path / "tree").rename(folder / "tree")
    until(shared.holds("owl.txt"))

    (folder / "tree").rename(tmp_path / "tree")

    until(shared.holds())
    text(tmp_path / "tree" / "deep" / "cow.txt", "A cow moos")
    text(folder / "last.txt", "The last")
    until(shared.holds("last.txt"))


def test_other_commands_work_beside_it(shared: Daemon, folder: Path, tmp_path: Path) -> None:
    """Their jobs are handed over, and a folder that was indexed by one is no less indexed."""
    other = text(tmp_path / "beside" / "cow.txt", "A cow moos").parent

    done = subprocess.run(
        shared.command("unisearch", "index", other), capture_output=True, timeout=PATIENCE_S
    )

    assert done.returncode == 0, done.stderr
    assert shared.holds("cow.txt")()
    assert Indexer(settings=shared.library.settings).remove_root(other) == 1


def test_a_run_with_other_settings_gets_the_library(
    shared: Daemon, folder: Path, tmp_path: Path
) -> None:
    text(tmp_path / "beside" / "cow.txt", "A cow moos")
    text(tmp_path / "beside" / "calf.txt", "A calf")

    done = subprocess.run(
        shared.command("unisearch", "index", tmp_path / "beside"),
        capture_output=True,
        timeout=PATIENCE_S,
        env=os.environ | {"UNISEARCH_INDEX__IGNORE": '["calf*"]'},
    )

    assert done.returncode == 0, done.stderr
    assert shared.holds("cow.txt")()
    text(folder / "owl.txt", "An owl hoots")
    until(shared.holds("cow.txt", "owl.txt"), "the daemon goes on")
    assert Indexer(settings=shared.library.settings).remove_root(tmp_path / "beside") == 1


def test_a_second_one_says_which_process_watches(shared: Daemon) -> None:
    done = subprocess.run(
        shared.command("unisearch", "watch"), capture_output=True, timeout=PATIENCE_S, text=True
    )

    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("unisearch:")]
    assert f"process {shared.process.pid} already watches it" in line


def test_lost_events_lead_to_a_look_at_everything(shared: Daemon, folder: Path) -> None:
    """The daemon is held while more events come than the system keeps for it."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    text(folder / "gone.txt", "Gone soon")
    until(shared.holds("gone.txt"))
    noise = [folder / f"{number}.unknown" for number in range(64)]

    shared.hears(signal.SIGSTOP)
    for _ in range(most // len(noise) + 1):
        for file in noise:  # made, closed, deleted
            file.touch()
            file.unlink()
    (folder / "gone.txt").unlink()
    text(folder / "deep" / "owl.txt", "An owl hoots")
    shared.hears(signal.SIGCONT)

    until(shared.holds("owl.txt"))
    assert shared.has_said("events were lost")
    text(folder / "deep" / "cow.txt", "A cow moos")
    until(shared.holds("owl.txt", "cow.txt"), "new folders are watched again")


class Manager:
    """A service manager: a real socket at an abstract address, and what came over it."""

    def __init__(self) -> None:
        self.name = f"unisearch-test-{os.getpid()}"
        self.heard: list[str] = []
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(f"\0{self.name}")
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while message := self._line.recv(4096):
            self.heard.append(message.decode())

    def has_heard(self, start: str, times: int = 1) -> bool:
        return sum(message.startswith(start) for message in self.heard) >= times


def test_it_tells_the_service_manager_how_it_is_and_reads_its_settings_again(
    library: Library,
) -> None:
    text(library.media / "owl.txt", "An owl hoots")
    manager = Manager()
    environment = {"NOTIFY_SOCKET": f"@{manager.name}", "WATCHDOG_USEC": "200000"}
    daemon = Daemon(library, (library.media,), environment, module="indexer")

    with daemon:
        until(daemon.holds("owl.txt"))
        until(lambda: manager.has_heard("WATCHDOG=1", times=3))
        daemon.configure({}, index={"ignore": ["cow*"]}, device="cpu")
        daemon.hears(signal.SIGHUP)
        until(lambda: manager.has_heard("READY=1\nSTATUS=watching 1 folder", times=2))
        text(library.media / "cow.txt", "A cow moos")
        text(library.media / "fox.txt", "A fox barks")
        until(daemon.holds("fox.txt", "owl.txt"))
        code = daemon.end()

    until(lambda: manager.has_heard("STOPPING=1"))
    told = [message for message in manager.heard if message != "WATCHDOG=1"]
    assert [message.partition("=")[0] for message in told] == [
        *("READY", "RELOADING", "READY", "STOPPING"),
    ]
    assert "\nMONOTONIC_USEC=" in told[1]
    assert daemon.has_said("device: change only when the daemon is started again")
    assert code == 0
    assert daemon.said()[-1]["event"] == "stopped"


def test_it_ends_in_the_middle_of_a_run(library: Library) -> None:
    for number in range(3_000):
        text(library.media / f"{number}.txt", f"Number {number}")
    daemon = Daemon(library, (library.media,))
    daemon.configure({}, index={"commit_every": 16})

    with daemon:
        until(daemon.names)
        code = daemon.end()

    assert code == 0
    assert 0 < len(library.items()) < 3_000
    library.live_rows()


def test_a_folder_that_is_empty_at_the_start_is_watched(library: Library) -> None:
    with Daemon(library, (library.media,)) as daemon:
        until(lambda: look(library.path), "it looks through the folder")
        time.sleep(1)

        text(library.media / "first.txt", "The first one")

        until(daemon.holds("first.txt"))


def test_a_root_that_goes_and_comes_back_is_watched_again(library: Library) -> None:
    file = text(library.media / "owl.txt", "An owl hoots")
    library.run()
    library.media.rename(library.media.with_name("away"))

    with Daemon(library) as daemon:
        until(lambda: daemon.has_said("its files stay in the library"))
        assert daemon.holds("owl.txt")()
        library.media.with_name("away").rename(library.media)
        until(lambda: daemon.has_said("is there again"))
        text(library.media / "cow.txt", "A cow moos")
        until(daemon.holds("cow.txt", "owl.txt"))

    assert file.exists()
    assert sum("its files stay" in line["event"] for line in daemon.said()) == 1


def test_without_watches_folders_are_looked_through(library: Library) -> None:
    text(library.media / "owl.txt", "An owl hoots")
    library.run()
    daemon = Daemon(library)
    daemon.configure({"polling": "always", "poll_s": 0.1, "settle_s": 0.2})

    with daemon:
        assert daemon.has_said("by polling")
        text(library.media / "deep" / "cow.txt", "A cow moos")
        until(daemon.holds("cow.txt", "owl.txt"))
        [before] = [item.id for item in library.items() if item.path.endswith(b"owl.txt")]
        (library.media / "owl.txt").rename(library.media / "deep" / "eule.txt")
        until(daemon.holds("cow.txt", "eule.txt"))
        [after] = [item.id for item in library.items() if item.path.endswith(b"eule.txt")]

    assert after == before


def test_a_full_disk_is_told_once_and_waited_for(library: Library) -> None:
    text(library.media / "owl.txt", "An owl hoots")
    daemon = Daemon(library, (library.media,))
    daemon.configure({"min_free_mb": 10**12})

    with daemon:
        until(lambda: daemon.has_said("indexing waits"))
        assert not library.path.joinpath("catalog.db").exists()
        daemon.configure({})
        daemon.hears(signal.SIGHUP)
        until(daemon.holds("owl.txt"))

    assert daemon.has_said("there is room on the disk again")


def test_nothing_to_watch_is_one_line(library: Library) -> None:
    daemon = Daemon(library)

    done = subprocess.run(
        daemon.command("unisearch", "watch"), capture_output=True, timeout=PATIENCE_S, text=True
    )

    assert done.returncode == 2
    assert "has no folders yet" in done.stderr


def test_a_library_that_cannot_be_read_is_told_at_the_start(library: Library) -> None:
    text(library.media / "owl.txt", "An owl hoots")
    library.run()
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        catalog.execute("PRAGMA user_version = 99")
    catalog.close()

    done = subprocess.run(
        Daemon(library).command("unisearch", "watch"),
        capture_output=True,
        timeout=PATIENCE_S,
        text=True,
    )

    assert done.returncode == 1
    assert "format 99" in done.stderr


def test_messages_go_to_a_file_that_is_rotated(library: Library) -> None:
    log = library.path.parent / "logs" / "daemon.log"
    log.parent.mkdir()
    daemon = Daemon(library, (library.media,))
    daemon.configure({"log_file": os.fspath(log), "log_file_mb": 0.0002, "log_files": 2})

    with daemon:
        for number in range(4):
            text(library.media / f"{number}.txt", f"Number {number}")
            until(daemon.holds(*(f"{known}.txt" for known in range(number + 1))))
        daemon.end()

    kept = sorted(file.name for file in log.parent.iterdir())
    assert kept == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    assert '"event": "stopped"' in log.read_text()
