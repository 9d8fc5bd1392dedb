"""Bad input at the door: one clear line each, and the rest of the run stays intact."""

from __future__ import annotations

import io
import os
import pickle
import resource
import sqlite3
import struct
import subprocess
import sys
import wave
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.commands import Command, Ready


class Trap:
    """Unpickling this makes a file: a test sees whether code ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.fspath(self.path),)


def png_of(width: int, height: int) -> bytes:
    """A PNG that only claims to be that large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def picture() -> bytes:
    """A real JPEG with detail in it."""
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "jpeg")
    return file.getvalue()


def silence() -> bytes:
    """A WAV without a sample."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
    return file.getvalue()


def write_bad_files(folder: Path, trap: Path) -> None:
    """One file of each kind of badness."""
    (folder / "empty.png").touch()
    (folder / "truncated.jpg").write_bytes(picture()[:900])
    (folder / "not a picture.png").write_bytes(b"PK\x03\x04 something else " * 20)
    (folder / "huge.png").write_bytes(png_of(20_000, 10_000))
    (folder / "silent.wav").write_bytes(silence())
    (folder / "no faces.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    (folder / "nan.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n")
    with (folder / "trap.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()}
        )
        pickle.dump(Trap(trap), file)


def test_each_bad_file_is_one_line_and_the_good_ones_are_indexed(
    unisearch: Command, tmp_path: Path
) -> None:
    media, trap = tmp_path / "media", tmp_path / "sprung"
    media.mkdir()
    write_bad_files(media, trap)
    bad = {path.name for path in media.iterdir()}
    (media / "good.jpg").write_bytes(picture())
    (media / "good.txt").write_text("a red fox")

    told = unisearch("index", "media", "--json").json()
    again = unisearch("index", "media")

    assert told["counts"]["added"] == 2
    assert {Path(failure["path"]).name for failure in told["failed"]} == bad
    for failure in told["failed"]:
        assert failure["message"]
        assert "\n" not in failure["message"]
    kinds = {Path(failure["path"]).name: failure["kind"] for failure in told["failed"]}
    assert kinds["huge.png"] == "too_large"
    assert kinds["trap.npy"] == "unsupported"
    [trapped] = [one for one in told["failed"] if one["path"].endswith("trap.npy")]
    assert "import-pointcloud" in trapped["message"]
    assert again.code == 0
    assert "2 unchanged" in again.out.decode()
    assert "huge.png" in again.out.decode()
    assert not trap.exists()


def test_a_pickle_with_code_in_it_is_not_converted(unisearch: Command, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    write_bad_files(tmp_path, trap)

    done = unisearch("import-pointcloud", "trap.npy", "out.ply")

    assert done.code == 1
    assert len(done.lines()) == 1
    assert not trap.exists()
    assert not (tmp_path / "out.ply").exists()


def test_a_run_without_one_readable_file_is_an_error(unisearch: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()

    done = unisearch("index", "empty.png")

    assert done.code == 1
    assert done.lines() == ["unisearch: no file could be read of 1 file"]
    assert "empty.png" in done.out.decode()


def test_many_failures_are_counted_not_poured_out(unisearch: Command, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.png").touch()
    (tmp_path / "good.txt").write_text("a red fox")

    done = unisearch("index", tmp_path)

    assert done.code == 0
    assert "5 more not shown" in done.out.decode()


@pytest.mark.parametrize("name", ["nothing.png", "no/such", "nowhere"])
def test_a_path_to_index_that_is_not_there_is_an_error(unisearch: Command, name: str) -> None:
    done = unisearch("index", name)

    assert done.code == 1
    assert len(done.lines()) == 1
    assert name in done.err


def test_a_query_file_must_exist_and_be_readable(ask: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()

    missing = ask("search", "nothing.png")
    folder = ask("search", "./")
    empty = ask("search", "empty.png")

    reasons = ((missing, "no such file"), (folder, "no regular file"), (empty, "empty.png"))
    for done, part in reasons:
        assert (done.code, len(done.lines()), done.out) == (1, 1, b"")
        assert part in done.err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["dog", "--into", "sound"], "unknown modality 'sound'"),
        (["dog", "--into", "text,imagee"], "did you mean 'image'?"),
        (["--not", "dog"], "at least one term"),
        (["dog", "--not", "item:x"], "takes a number"),
        (["item:9999999"], "no such item"),
    ],
)
def test_a_question_without_meaning_is_one_line(
    ask: Command, arguments: list[str], part: str
) -> None:
    done = ask("search", *arguments)

    assert done.code == (1 if part == "no such item" else 2)
    assert (len(done.lines()), done.out) == (1, b"")
    assert part in done.err


def made(unisearch: Command, folder: Path) -> Path:
    """A library of one text in `folder`."""
    (folder / "a.txt").write_text("a red fox")
    assert unisearch("index", "a.txt").code == 0
    return folder / "library"


@pytest.mark.parametrize("verb", [["search", "fox"], ["index", "a.txt"], ["status"], ["doctor"]])
def test_a_library_of_a_newer_format_is_refused(
    unisearch: Command, tmp_path: Path, verb: list[str]
) -> None:
    library = made(unisearch, tmp_path)
    with sqlite3.connect(library / "catalog.db") as catalog:
        catalog.execute("PRAGMA user_version = 999")

    done = unisearch(*verb)

    assert (done.code, len(done.lines())) == (1, 1)
    assert "999" in done.err


@pytest.mark.parametrize("verb", [["search", "fox"], ["index", "a.txt"]])
def test_a_library_of_another_space_is_refused(
    unisearch: Command, tmp_path: Path, verb: list[str]
) -> None:
    library = made(unisearch, tmp_path)
    with sqlite3.connect(library / "catalog.db") as catalog:
        catalog.execute("PRAGMA foreign_keys = OFF")
        catalog.execute("UPDATE spaces SET id = 'other-1', name = 'other'")
        catalog.execute("UPDATE partitions SET space_id = 'other-1'")
    [vectors] = (library / "vectors").iterdir()
    vectors.rename(vectors.with_name("other-1"))

    done = unisearch(*verb)

    assert (done.code, len(done.lines())) == (1, 1)
    assert "other" in done.err


@contextmanager
def silent_holder(library: Path) -> Iterator[int]:
    """Another process that holds the library and does nothing: who computes is waited for."""
    code = (
        "import sys; from pathlib import Path; from indexer.lock import take_lock;"
        "handle = take_lock(Path(sys.argv[1])); print(handle, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, os.fspath(library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        yield process.pid
        process.communicate()


@pytest.mark.parametrize("verb", [["index", "a.txt"], ["forget", "a.txt"], ["tag", "1", "+x"]])
def test_a_writer_that_does_not_answer_is_named(
    unisearch: Command, tmp_path: Path, verb: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.ask.SILENT_S", 1.5)  # the line about waiting comes after 1.0
    library = made(unisearch, tmp_path)

    with silent_holder(library) as process:
        done = unisearch(*verb)
        reading = unisearch("search", "fox", "--paths")

    waiting, reason = done.lines()
    assert done.code == 1
    assert f"waiting for process {process}" in waiting
    assert f"process {process} holds the library and does not answer" in reason
    assert reading.out == os.fsencode(tmp_path / "a.txt") + b"\n"


def test_a_library_that_is_none_is_refused(unisearch: Command, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "catalog.db").write_bytes(b"not a database, but long enough" * 50)

    done = unisearch("search", "fox")

    assert (done.code, len(done.lines())) == (1, 1)


def test_nothing_that_fits_is_said_and_is_no_error(ask: Command, ready: Ready) -> None:
    done = ask("search", "zzyzx qwrtp", "--no-names")

    assert done.code == 0
    assert "nothing fits" in done.out.decode()


@pytest.mark.parametrize("form", [[], ["--json"], ["--paths"]])
def test_answers_that_do_not_fit_on_the_disk_are_one_line(ready: Ready, form: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "unisearch",
        "search",
        "dog",
        "--library",
        ready.library,
        *form,
    ]
    environment = {**os.environ, "UNISEARCH_SPACE": "toy"}

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == (
        "unisearch: stdout: no space left on device: free some space and run it again\n"
    )


def test_a_demo_without_room_is_one_line_and_leaves_nothing_half_made(
    unisearch: Command, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        done = unisearch("demo", "show")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert done.code == 1
    assert done.lines()[1:] == [
        "unisearch: show: the file would be larger than allowed "
        "(ulimit -f, or the file system's limit)"
    ]
    assert list((tmp_path / "show").iterdir()) == []
