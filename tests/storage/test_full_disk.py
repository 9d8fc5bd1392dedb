"""A disk that refuses at any moment costs one clear line and nothing that was committed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage.store import Store, check, check_clean
from unisearch.errors import LibraryError
from unisearch.index import durable

NOBODY = 65_534
FULL = "no space left on device: free some space and run it again"
CALLS = (
    "open", "write", "truncate", "sync", "rename", "unlink", "make_folder", "sync_folder",
)  # fmt: skip


class Refusing(durable.Disk):
    """Refuses one call, the n-th, and all later ones that need room."""

    def __init__(self, nth: int) -> None:
        self.calls = 0
        self.nth = nth
        for name in CALLS:
            setattr(self, name, self._counted(name, getattr(self, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.calls += 1
            full = self.calls > self.nth and name in ("open", "write", "make_folder")
            if self.calls == self.nth or full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*given, **named)

        return counted


def changes(store: Store) -> Iterator[dict[str, int]]:
    """Every kind of change; what the library should hold after each."""
    files = {f"{number}.bin": number for number in range(1, 81)}
    store.add(files)
    yield dict(files)
    store.snapshot()
    yield dict(files)
    gone = sorted(files)[::2]
    for name in gone:
        del files[name]
    store.remove(gone)
    yield dict(files)
    store.compact()
    yield dict(files)
    more = {f"{number}.bin": number for number in range(100, 170)}
    store.add(more)
    files.update(more)
    yield dict(files)
    store.snapshot()
    yield dict(files)


def refuse_each(folder: Path, patch: pytest.MonkeyPatch, step: int) -> int:
    """Run the changes once for every step-th call, refused; how many runs there were."""
    counting = Refusing(nth=0)
    counting.nth = 10**9
    with patch.context() as inner:
        inner.setattr(durable, "disk", counting)
        states = list(changes(Store(folder / "whole")))
    runs = 0
    for nth in range(1, counting.calls + 1, step):
        library = folder / str(nth)
        with patch.context() as inner:
            inner.setattr(durable, "disk", Refusing(nth))
            reached, told = _until_refused(library)
        assert told is None or (str(told).endswith(FULL) and "\n" not in str(told))
        # What was under way may have been committed just before the refusal.
        check(library, *([{}, *states][reached : reached + 2]))
        Store(library).close()
        check_clean(library)
        shutil.rmtree(library)
        runs += 1
    return runs


def _until_refused(library: Path) -> tuple[int, LibraryError | None]:
    """(how many changes were done, what was said then)."""
    done = 0
    store = Store(library)
    try:
        for _ in changes(store):
            done += 1
    except LibraryError as told:
        return done, told
    finally:
        store.close()
    return done, None


def test_a_refusal_by_the_disk_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refuse_each(tmp_path, monkeypatch, step=9) > 8


@pytest.mark.soak
def test_no_refusal_by_the_disk_loses_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refuse_each(tmp_path, monkeypatch, step=1) > 70


def write_as_nobody(library: Path, answers: Any) -> None:
    """In a process of its own: what a writer without rights is told, and what a reader finds."""
    check(library, {"a.bin": 1, "b.bin": 2})  # imports all that it needs while it may
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        Store(library).add({"new.bin": 99})
        answers.put("written")
    except LibraryError as told:
        answers.put(str(told))
    answers.put(len(check(library, {"a.bin": 1, "b.bin": 2})))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may look into, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="unisearch-test-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder)


def test_a_read_only_library_is_one_line_and_can_be_read(open_folder: Path) -> None:
    library = open_folder / "library"
    store = Store(library)
    store.add({"a.bin": 1, "b.bin": 2})
    store.close()
    for path in (library, *library.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    context = multiprocessing.get_context("forkserver")
    answers = context.Queue()

    child = context.Process(target=write_as_nobody, args=(library, answers))
    child.start()
    told, found = answers.get(timeout=120), answers.get(timeout=120)
    child.join()

    assert str(library) in told
    assert "\n" not in told
    assert "no permission to write there" in told
    assert found == 2
    check(library, {"a.bin": 1, "b.bin": 2})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.soak
def test_a_disk_that_runs_full_loses_nothing(small_disk: Path) -> None:
    library = small_disk / "library"
    filler = small_disk / "filler"
    store = Store(library)
    filler.write_bytes(bytes(500_000))
    files: dict[str, int] = {}
    told = ""
    for start in range(0, 100_000, 200):
        new = {f"{number}.bin": number for number in range(start + 1, start + 201)}
        try:
            store.add(new)
        except LibraryError as error:
            told = str(error)
            break
        files.update(new)
    store.close()

    assert told.endswith(FULL)
    check(library, files)
    filler.unlink()
    again = Store(library)
    again.add({"after.bin": 200_001})
    again.close()
    check(library, {**files, "after.bin": 200_001})
    check_clean(library)
