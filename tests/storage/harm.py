"""A small library of real files with everything that is stored, and what a process says of it
after it was damaged."""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import random
import sqlite3
import traceback
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer import Indexer
from indexer import repair as repairing
from indexer.upkeep import Upkeep
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.errors import UnisearchError
from unisearch.index.build import build
from unisearch.wiring import open_rooms

TEXTS, PICTURES, REMOVED = 160, 6, 12
WORDS = ("dog", "cow", "rain", "bell", "door", "tree", "fire", "gate", "moon", "hill", "boat")
TIMEOUT_S = 300  # of a busy machine; a hang has no end
#: So that the texts have a snapshot and a tail.
VECTORS = {"exact_rows": 100, "tail_rows": 40, "recall": 0.9, "gpu": "off"}


@dataclass(frozen=True)
class Harm:
    """One damage: `at` is the byte that is flipped, or where the file is cut."""

    file: str  # below the library
    how: str  # flip, cut or remove
    at: int = 0
    bit: int = 0

    def do(self, library: Path) -> None:
        path = library / self.file
        if self.how == "remove":
            path.unlink()
            return
        content = bytearray(path.read_bytes())
        if self.how == "cut":
            content = content[: self.at]
        else:
            content[self.at] ^= 1 << self.bit
        path.write_bytes(content)


def harms(library: Path, flips: dict[str, int], seed: int) -> list[Harm]:
    """Cuts and flips of every file; flips: how many, by the end of a file's name."""
    chance = random.Random(seed)
    found = []
    for path in sorted(path for path in library.rglob("*") if path.is_file()):
        name = str(path.relative_to(library))
        size = path.stat().st_size
        wanted = next((count for end, count in flips.items() if name.endswith(end)), 0)
        if not wanted or not size:
            continue
        found += [Harm(name, "remove"), Harm(name, "cut", size - 1), Harm(name, "cut", size // 2)]
        found += [
            Harm(name, "flip", chance.randrange(size), chance.randrange(8)) for _ in range(wanted)
        ]
    return found


class Builder(Upkeep):
    """Builds snapshots in this process, which is quicker for small ones."""

    def finish(self, *ignored: Any) -> None:
        for partition in self._partitions():
            while job := self._job(partition):
                build(replace(job, parent=0))


def settings_of(library: Path) -> Settings:
    return Settings(library=library, space="toy", vectors=VECTORS, log_level="warning")


def make(folder: Path) -> Path:
    """The library in folder/library of the files in folder/media; nothing writes any more."""
    media, library = folder / "media", folder / "library"
    media.mkdir()
    chance = random.Random(0)
    for number in range(TEXTS):
        words = " ".join(chance.sample(WORDS, 5))
        (media / f"{number:03} {chance.choice(WORDS)}.txt").write_text(f"The {words} {number}.\n")
    for number in range(PICTURES):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(media / f"{number}.png")
    (media / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    settings = settings_of(library)
    with Indexer(settings=settings) as indexer:
        indexer.run([media])
        indexer.tag([3, 4], ["loud", "red"])
        for path in sorted(media.glob("*.txt"))[:REMOVED]:
            path.unlink()
        indexer.run([media])
    with open_rooms(settings, write=True) as rooms:
        Builder(rooms).finish()
    with closing(sqlite3.connect(library / "catalog.db")) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return library


def look_and_mend(library: Path, out: Path) -> None:
    """What the doctor finds and what searches answer; then repair, index, and look again."""
    said: dict[str, Any] = {"warned": listen(), "found": [], "lost": [], "left": [], "done": []}
    try:
        said["found"] = found_by_doctor(library)
    except UnisearchError as error:
        said["found"] = [str(error)]
    try:
        said["answers"] = answers(settings_of(library))
    except UnisearchError as error:
        said["refused"] = str(error)
    said["mended"] = mended(library, said)
    out.write_text(json.dumps(said))


def mended(library: Path, said: dict[str, Any]) -> dict[str, Any] | None:
    """What is found and answered after the repair; None when something is lost or left."""
    repairing.Upkeep = Builder  # type: ignore[misc]
    settings = settings_of(library)
    try:
        report = repairing.repair(settings)
        said |= {"lost": report.lost, "left": report.left, "done": report.done}
        if report.lost or report.left:
            return None
        Indexer(settings=settings).run([library.parent / "media"])
        with open_rooms(settings, write=True) as rooms:
            Builder(rooms).finish()
    except UnisearchError as error:
        said["left"] = [str(error)]
        return None
    return {
        "found": found_by_doctor(library),
        "answers": answers(settings),
        "truth": answers(exact(settings), k=1_000),
    }


def found_by_doctor(library: Path) -> list[str]:
    with open_rooms(settings_of(library)) as rooms:
        return [
            f"{one.subject}: {one.message}"
            for one in doctor(rooms)
            if one.level == "error" and "space" not in one.subject
        ]


def answers(settings: Settings, k: int = 20) -> list[dict[str, float]]:
    """Cosine by name of the hits of some questions. Raises ArithmeticError for a NaN."""
    picture = settings.library.parent / "media" / "1.png"
    found = []
    with Engine(open_rooms(settings)) as engine:
        for question in ("the dog in the rain", "a bell", picture):
            hits = engine.search(question, k=k)
            if any(math.isnan(hit.score) or math.isnan(hit.similarity) for hit in hits):
                raise ArithmeticError("a score is no number")
            names = [hit.path.rsplit(b"/")[-1].decode("latin-1") for hit in hits]
            found.append(dict(zip(names, (hit.similarity for hit in hits), strict=True)))
        engine.search("the dog", k=5, into="image")
    return found


def exact(settings: Settings) -> Settings:
    """The same with every vector compared."""
    return settings.model_copy(
        update={"vectors": settings.vectors.model_copy(update={"exact_rows": 1_000_000})}
    )


def listen() -> list[str]:
    """The warnings from now on."""
    warned: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warned.append(record.getMessage())

    logging.getLogger().handlers = [Ear(logging.WARNING)]
    return warned


def in_child(work: Any, library: Path) -> dict[str, Any]:
    """What `work` wrote, done by a process of its own that must end well and soon."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.storage.harm", "faiss", "torch", "alembic.command"])
    out = library.parent / "said.json"
    out.unlink(missing_ok=True)
    child = context.Process(target=_told, args=(work, library, out))
    child.start()
    child.join(TIMEOUT_S)
    hangs = child.is_alive()
    if hangs:
        child.kill()
        child.join()
    assert not hangs, "hangs"
    assert child.exitcode == 0, f"ended with {child.exitcode}: {_last_words(out)}"
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def _told(work: Any, library: Path, out: Path) -> None:
    try:
        work(library, out)
    except BaseException:
        out.write_text(traceback.format_exc())
        raise SystemExit(3) from None


def _last_words(out: Path) -> str:
    return out.read_text()[-1_500:] if out.exists() else "nothing said"


def differences(one: Path, other: Path) -> set[str]:
    """The columns 'table.column' in which two catalogues differ; what cannot be read is '?'."""
    left, right = _dump(one), _dump(other)
    return {name for name in left.keys() | right.keys() if left.get(name) != right.get(name)}


def _dump(path: Path) -> dict[str, Any]:
    """All values by 'table.column'."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(path)) as base:
        base.text_factory = bytes
        names = [
            name.decode()
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            try:
                cursor = base.execute(f"SELECT * FROM {name}")
                columns = [column[0].lower() for column in cursor.description]
                values: Iterable[Any] = zip(*cursor.fetchall(), strict=True)
                found |= {f"{name}.{key}": some for key, some in zip(columns, values, strict=False)}
            except sqlite3.Error:
                found[f"{name}.?"] = None
    return found
