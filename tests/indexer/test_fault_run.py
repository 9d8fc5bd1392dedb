"""A folder full of faults among good files: every good one is found, every bad one has a reason."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer import Indexer
from tests.conftest import CHECKOUT
from tests.indexer.faults import ANY, BAD, GOOD, Made, make_faults
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.wiring import open_rooms
from unisearch.world.concepts import CONCEPTS
from unisearch.world.library import make_library

#: Runs as somebody whom the mode of a file keeps out.
RUN = """
    import json, sys
    from pathlib import Path
    from tests.unprivileged import drop_privileges

    drop_privileges()
    from tests.indexer.test_fault_run import run_over_faults

    print(json.dumps(run_over_faults(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
"""


@contextmanager
def restless(folder: Path, good: list[Path]) -> Iterator[None]:
    """Files that grow, vanish and are replaced all the time, whoever reads them."""
    folder.mkdir()
    stop = threading.Event()

    def work() -> None:
        chance = random.Random(7)
        while not stop.is_set():
            base = chance.choice(good)
            path = folder / f"{chance.randrange(40)}{base.suffix}"
            match chance.randrange(4):
                case 0:
                    path.unlink(missing_ok=True)
                case 1:
                    with path.open("ab") as file:
                        file.write(base.read_bytes()[:5_000])
                case 2:
                    path.write_bytes(base.read_bytes())
                case _:
                    new = path.with_name("new~")
                    new.write_bytes(base.read_bytes())
                    new.replace(path)
            time.sleep(0.001)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run_over_faults(folder: Path, per_concept: int, concepts: int, faults: int) -> Counter[str]:
    """How many files of each kind there were; see the module."""
    media = folder / "media"
    good = make_library(
        media / "good", concepts=sorted(CONCEPTS)[:concepts], per_concept=per_concept
    )
    trap = folder / "trap"
    made = list(make_faults(media / "faults", good, faults, trap))
    settings = Settings(library=folder / "library", space="toy")

    with Indexer(settings=settings) as indexer:
        with restless(media / "restless", good):
            for _ in range(2):
                indexer.run(media)
        indexer.run(media)
        report = indexer.run(media)

    with Engine(open_rooms(settings)) as engine:
        with engine.rooms.catalog.view() as view:
            items = {item.path: item for item in view.items()}
            reasons = {failure.path: failure.message for failure in view.failures()}
        check_fates(made, set(items), reasons)
        for path in (*map(os.fsencode, good), *(one.path for one in made if one.fate == GOOD)):
            assert path in items, path
            check_found(engine, path)
        assert [one for one in doctor(engine.rooms) if one.level == "error"] == []
    assert not trap.exists(), "code of a file was run"
    assert report.added == report.updated == report.removed == 0
    return Counter(one.kind for one in made)


def check_fates(made: list[Made], items: set[bytes], reasons: dict[bytes, str]) -> None:
    for one in made:
        known = (one.path in items) + (one.path in reasons)
        if one.fate == "special":
            assert known == 0, one
        else:
            assert known == 1, one
            assert one.fate in (ANY, GOOD if one.path in items else BAD), one
    assert all(reason and "\n" not in reason for reason in reasons.values())


def check_found(engine: Engine, path: bytes) -> None:
    """The file itself, asked with, is the best answer of its kind, or shares its vector with it."""
    [best, *_] = engine.search(Path(os.fsdecode(path)), k=3, names=False)
    same = [hit for hit in engine.search(Path(os.fsdecode(path)), k=50, names=False)
            if hit.similarity >= best.similarity - 1e-3]  # fmt: skip
    assert best.similarity > 0.98, (path, best)
    assert any(hit.path == path or hit.copies for hit in same), (path, best)


def kinds_of_faults(folder: Path, per_concept: int, concepts: int, faults: int) -> Counter[str]:
    """How many files of each kind there were in a run without privileges that came out right."""
    numbers = map(str, (per_concept, concepts, faults))
    command = [sys.executable, "-c", textwrap.dedent(RUN), os.fspath(folder), *numbers]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    return Counter(json.loads(done.stdout))


def test_good_files_are_found_among_faults(tmp_path: Path) -> None:
    kinds = kinds_of_faults(tmp_path, per_concept=1, concepts=6, faults=160)

    assert len(kinds) >= 13


@pytest.mark.soak
def test_a_thousand_good_files_are_found_among_thousands_of_faults(tmp_path: Path) -> None:
    kinds = kinds_of_faults(tmp_path, per_concept=3, concepts=len(CONCEPTS), faults=5_600)

    print("faults:", dict(kinds))
