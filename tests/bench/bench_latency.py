"""From the close of a new file to its being searchable, with the daemon in a process of its own.

    python -m tests.bench.bench_latency [FILES] [BULK]

FILES new files of every kind, one after the other, beside an idle daemon; then as many as it takes
while it indexes BULK others, which are handed to it at once together with the first of them. Prints
JSON lines.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from tests.bench.timing import line, options
from unisearch.config import Settings
from unisearch.errors import LibraryMissing
from unisearch.media.read import modality_of
from unisearch.wiring import Rooms, open_rooms
from unisearch.world.concepts import CONCEPTS
from unisearch.world.library import make_library

LONGEST_S = 120.0
PAUSE_S = 0.05


@contextmanager
def watching(media: Path, library: Path) -> Iterator[None]:
    """The daemon, until it has seen what is there already."""
    command = [sys.executable, "-m", "unisearch", "watch", media, "--library", library]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()


def opened(library: Path) -> Rooms:
    """The library, once the daemon has made it."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        try:
            return open_rooms(Settings(library=library))
        except LibraryMissing:
            time.sleep(PAUSE_S)
    raise TimeoutError(library)


def is_there(rooms: Rooms, path: Path) -> bool:
    """Whether a question asked now would find the file."""
    with rooms.catalog.view() as view:
        known = view.known_files(os.fsencode(path)).get(os.fsencode(path))
    return known is not None and known.content is not None


def delay_s(rooms: Rooms, content: bytes, path: Path) -> float:
    """From the close of that new file to the commit that makes it searchable."""
    path.write_bytes(content)
    closed = time.perf_counter()
    while not is_there(rooms, path):
        if time.perf_counter() - closed > LONGEST_S:
            raise TimeoutError(path)
        time.sleep(0.002)
    return time.perf_counter() - closed


def measure(
    what: str, rooms: Rooms, files: Sequence[Path], folder: Path, end: Callable[[], bool]
) -> None:
    """Prints the delays of copies of these files, each with a byte of its own at the end.

    end: asked before each of them, whether it is enough
    """
    folder.mkdir()
    took: dict[str, list[float]] = {}
    for number, file in enumerate(takewhile(lambda _: not end(), files)):
        content = file.read_bytes() + (b"" if file.suffix == ".glb" else f" {number}".encode())
        kind = str(modality_of(file))
        delay = delay_s(rooms, content, folder / f"{number}{file.suffix}")
        took.setdefault(kind, []).append(delay)
        time.sleep(PAUSE_S)
    for kind, delays in {**took, "all": [one for some in took.values() for one in some]}.items():
        ordered = sorted(delays)
        p50, p99 = ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))]
        line(what, kind=kind, files=len(ordered), p50_s=p50, p99_s=p99, longest_s=ordered[-1])


def main() -> None:
    asked = options(__doc__, files=500, bulk=2_000)
    count, bulk = asked.files, asked.bulk
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        per_concept = -(-(count + bulk) // (3 * len(CONCEPTS)))
        files = make_library(place / "made", per_concept=per_concept)
        random.Random(0).shuffle(files)
        media = place / "media"
        media.mkdir()
        (media / "first.txt").write_text("The first one")
        with watching(media, place / "library"), opened(place / "library") as rooms:
            warm = files.pop()
            delay_s(rooms, warm.read_bytes(), media / f"warm{warm.suffix}")
            measure(
                "close to searchable, idle", rooms, files[:count], media / "idle", lambda: False
            )
            (place / "made").rename(media / "bulk")
            later = [media / "bulk" / file.relative_to(place / "made") for file in files]

            def is_over() -> bool:
                with rooms.catalog.view() as view:
                    return len(view.known_files(os.fsencode(media / "bulk"))) >= len(files)

            what = f"close to searchable, beside {len(files)} others"
            measure(what, rooms, later[count:], media / "busy", is_over)


if __name__ == "__main__":
    main()
