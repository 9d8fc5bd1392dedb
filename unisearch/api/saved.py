"""Saved searches: questions whose new matches are told, kept below LIBRARY/saved.

Each is a JSON file of its own, written as the indexes are: whole and durable. A table of the
catalogue would need the writer's lock, which an indexing process may hold for hours; and several
servers of one library do not undo each other's.
"""

from __future__ import annotations

import fcntl
import logging
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from pydantic import ValidationError

from unisearch.api.schemas import SearchIn
from unisearch.errors import UnisearchError, display
from unisearch.index import durable
from unisearch.wiring import SAVED_FOLDER

logger = logging.getLogger(__name__)

VERSION = 1
MOST = 256
#: A file under a temporary name is written in less.
LEFT_S = 3_600
#: In the folder of saved searches.
LOCK = ".lock"
ID_PATTERN = "^[0-9a-f]{16}$"


class TooManySaved(UnisearchError):
    """So many searches are saved that no more are taken."""


@dataclass(frozen=True)
class Saved:
    """A saved search. told: items that its listeners know; made_s: since 1970"""

    id: str
    name: str
    question: SearchIn
    made_s: float
    told: frozenset[int]

    def to_bytes(self) -> bytes:
        """The content of its file."""
        return orjson.dumps(
            {
                "version": VERSION, "id": self.id, "name": self.name, "made_s": self.made_s,
                "question": self.question.model_dump(), "told": sorted(self.told),
            }
        )  # fmt: skip

    @classmethod
    def of(cls, content: bytes) -> Saved:
        """What such a file holds. Raises ValueError."""
        try:
            said = orjson.loads(content)
        except ValueError as error:
            raise ValueError("damaged") from error
        if not isinstance(said, dict) or said.get("version") != VERSION:
            raise ValueError("of another version")
        try:
            question = SearchIn.model_validate(said["question"])
            told = frozenset(map(int, said["told"]))
            return cls(str(said["id"]), str(said["name"]), question, float(said["made_s"]), told)
        except (KeyError, TypeError, ValidationError) as error:
            raise ValueError("damaged") from error


class SavedSearches:
    """The saved searches of one library. Threads may share it."""

    def __init__(self, library: Path) -> None:
        self._folder = library / SAVED_FOLDER
        self._lock = threading.Lock()
        self._saved = {one.id: one for one in self._read()}

    def all(self) -> list[Saved]:
        """The oldest first."""
        return sorted(self._saved.values(), key=lambda one: (one.made_s, one.id))

    def get(self, id: str) -> Saved | None:
        """The search of that id, None when there is none."""
        return self._saved.get(id)

    def add(self, name: str, question: SearchIn, told: Iterable[int]) -> Saved:
        """Keep a search. Raises TooManySaved, and LibraryError when it cannot be written."""
        one = Saved(secrets.token_hex(8), name, question, time.time(), frozenset(told))
        with self._lock:
            if len(self._saved) >= MOST:
                raise TooManySaved(f"{MOST} searches are saved already: remove one first")
            self._write(one)
        return one

    def tell(self, id: str, items: Iterable[int]) -> None:
        """These items were told; nothing happens when the search is gone."""
        with self._alone():
            if (one := self._now(id)) is not None:
                self._write(replace(one, told=one.told.union(items)))

    def remove(self, id: str) -> None:
        """Drop a search."""
        with self._alone():
            if id in self._saved:
                durable.unlink([self._path(id)])  # first: one that stays there is not gone
                del self._saved[id]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No thread and no other server of the library changes a search that is there meanwhile."""
        with self._lock, ExitStack() as held:
            with suppress(OSError):  # a folder that takes no lock takes no search: that is told
                held.enter_context(locked(self._folder / LOCK))
            yield

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _now(self, id: str) -> Saved | None:
        """The search with what other servers of the library told; None when one has dropped it."""
        one = self._saved.get(id)
        if one is None:
            return None
        try:
            stored = Saved.of(self._path(id).read_bytes())
        except FileNotFoundError:
            del self._saved[id]
            return None
        except (OSError, ValueError):  # what we know is better
            return one
        return replace(one, told=one.told | stored.told)

    def _write(self, one: Saved) -> None:
        durable.write_atomically(self._path(one.id), lambda file: file.write(one.to_bytes()))
        self._saved[one.id] = one

    def _read(self) -> Iterable[Saved]:
        durable.unlink(filter(_is_left, self._folder.glob(".*")))
        for path, one in read(self._folder):
            if isinstance(one, Saved):
                yield one
            else:
                logger.warning("%s: a saved search is left out: %s", display(path), one)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """That file is locked, also for other processes; it stays, so that all lock the same one."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_left(path: Path) -> bool:
    """Whether a server that was killed left it half written; one that writes now may not be done.

    What another server has renamed meanwhile is whole.
    """
    try:
        return durable.is_temporary(path) and time.time() - path.stat().st_mtime > LEFT_S
    except FileNotFoundError:
        return False


def read(folder: Path) -> Iterator[tuple[Path, Saved | str]]:
    """(file, the search in it, or why there is none) of each file, by name."""
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            one = Saved.of(path.read_bytes())
            if path.stem != one.id:
                raise ValueError("renamed")
        except FileNotFoundError:
            continue  # dropped since the folder was listed
        except OSError as error:
            yield path, error.strerror or "cannot be read"
        except ValueError as error:
            yield path, str(error)
        else:
            yield path, one


def left_out(library: Path) -> list[tuple[Path, str]]:
    """(file, why) of each saved search that no server tells of."""
    return [(path, why) for path, why in read(library / SAVED_FOLDER) if not isinstance(why, Saved)]
