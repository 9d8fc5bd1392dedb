"""What assistants may do, over a library in process or over a server's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unisearch.engine.checked import check_count
from unisearch.engine.terms import Term
from unisearch.errors import UnisearchError, UsageError, display

if TYPE_CHECKING:
    from unisearch.config import Settings
    from unisearch.engine.answer import Answer
    from unisearch.engine.engine import Engine
    from unisearch.remote.engine import RemoteEngine

MOST_HITS, MOST_WORDS = 50, 4_000


class Tools(ABC):
    """The tools by their names, over anything with the methods of an engine; each gives plain
    values. Raises UnisearchError."""

    engine: Engine | RemoteEngine

    def search(
        self,
        query: str,
        without: str | None = None,
        into: list[str] | None = None,
        k: int = 10,
        where: str | None = None,
        factors: str | None = None,
    ) -> dict[str, Any]:
        """Hits for words. Words alone: no file is read because an assistant names it."""
        minus = [] if without is None else [words(without)]
        answer = self.engine.ask(
            [words(query)], minus=minus, into=into, k=few(k), where=where, factors=factors
        )
        return told(answer)

    def similar(
        self,
        item: int,
        into: list[str] | None = None,
        k: int = 10,
        factors: str | None = None,
    ) -> dict[str, Any]:
        """Hits for an item, without itself and its copies."""
        return told(self.engine.ask([Term(item)], into=into, k=few(k), factors=factors))

    @abstractmethod
    def status(self) -> dict[str, Any]:
        """What the library holds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the library, or of the connections to it."""


class LocalTools(Tools):
    """Over a library in process, which is opened at once and searched with the first question.

    Raises LibraryMissing when there is none.
    """

    def __init__(self, settings: Settings) -> None:
        from unisearch.wiring import open_rooms

        self._rooms = open_rooms(settings, stays=True)

    @cached_property
    def engine(self) -> Engine:  # type: ignore[override]
        """The engine, made when it is first needed."""
        from unisearch.engine.engine import Engine

        return Engine(self._rooms)

    def status(self) -> dict[str, Any]:
        """What the library holds."""
        from unisearch.engine import inspect

        return inspect.status(self._rooms)

    def close(self) -> None:
        """Let go of the library."""
        self._rooms.close()


class RemoteTools(Tools):
    """Over a server's library."""

    def __init__(self, engine: RemoteEngine) -> None:
        self.engine = engine
        self._remote = engine

    def status(self) -> dict[str, Any]:
        """What the server's library holds."""
        library: dict[str, Any] = self._remote.status()["library"]
        return library

    def close(self) -> None:
        """Let go of the connections."""
        self._remote.close()


def remote_tools(url: str, token_file: str | None) -> RemoteTools:
    """The tools over the server at that address; the token is no argument, which others see.

    Raises UsageError for what is no address, UnisearchError for a file that cannot be read.
    """
    from unisearch.remote.engine import RemoteEngine

    token = None
    if token_file is not None:
        try:
            token = Path(token_file).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnisearchError(f"{display(token_file)}: holds no token: {error}") from None
    return RemoteTools(RemoteEngine(url, token))


def words(text: str) -> Term:
    """The words as a term. Raises UsageError for none or too many."""
    if not text.strip() or len(text) > MOST_WORDS:
        raise UsageError(f"words are 1 to {MOST_WORDS} characters")
    return Term(text)


def few(k: int) -> int:
    """How many hits. Raises UsageError for more than an assistant reads."""
    if check_count(k) > MOST_HITS:
        raise UsageError(f"k is {k}; it is at most {MOST_HITS}")
    return k


def told(answer: Answer) -> dict[str, Any]:
    """The answer as `search --json` prints it, without times."""
    whole = answer.to_json()
    del whole["took_ms"]
    return whole
