"""An engine that is a server: `unisearch.connect`, and its twin for asyncio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from unisearch.engine.answer import Answer
from unisearch.engine.hits import Hits
from unisearch.engine.questions import Question
from unisearch.errors import ServerError, UsageError
from unisearch.factors import Factors
from unisearch.records import Hit
from unisearch.remote import flows
from unisearch.remote.flows import Call, Flow

T = TypeVar("T")
#: An upload may be read for as long as a worker may take.
TIMEOUT = httpx.Timeout(300, connect=10)


class RemoteEngine:
    """The library of a server. Use as a context manager, or call close(). Threads may share one.

    Raises what an Engine raises, and ServerError where the server cannot be asked.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._options = options_of(url, token)
        self._client = httpx.Client(**self._options)

    def search(
        self,
        *terms: Any,
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        minus: Sequence[Any] | str | Path = (),
        each: bool = False,
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Hits:
        """The best hits, best first; see `Engine.search`.

        Files, contents, pictures and arrays are sent to the server. root: only files of the
        folder of that id, as `item()` tells it; it stands for `under`
        """
        answer = self.ask(
            terms, minus=flows.repelling(minus), into=into, k=k, where=where, each=each, root=root,
            min_score=min_score, names=names, factors=factors,
        )  # fmt: skip
        return Hits(answer.hits, RemoteMedia(self))

    def ask(
        self,
        terms: Sequence[Any],
        *,
        minus: Sequence[Any] = (),
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        each: bool = False,
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Answer:
        """The answer to a question of several terms; see `Engine.ask`."""
        return self._run(
            flows.ask(
                terms, minus=minus, into=into, k=k, where=where, each=each, root=root,
                min_score=min_score, names=names, factors=factors,
            )
        )  # fmt: skip

    def ask_many(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers to several questions at a time, without files; see `Engine.ask_many`."""
        return self._run(flows.ask_many(questions))

    def similar(
        self,
        item: int,
        *,
        into: Sequence[str] | str | None = None,
        k: int = 10,
        factors: str | Factors | None = None,
    ) -> Hits:
        """What is like an item of the library, without itself and its copies."""
        return Hits(self._run(flows.similar(item, into, k, factors)).hits, RemoteMedia(self))

    def status(self) -> dict[str, Any]:
        """How the server and its library are: ready, syncing, what it holds."""
        return self._run(flows.status())

    def item(self, item: int) -> dict[str, Any]:
        """What is known of an item."""
        return self._run(flows.item(item))

    def content(self, item: int) -> bytes:
        """The file of an item."""
        return self._run(flows.content(item))

    def preview(self, item: int, kind: str = "still") -> bytes | None:
        """A preview of an item, None when there is none (yet)."""
        return self._run(flows.preview(item, kind))

    def _run(self, flow: Flow[T]) -> T:
        try:
            call = next(flow)
            while True:
                with told(self._client.base_url):
                    response = self._client.request(call.method, call.path, **call.options)
                call = flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    def close(self) -> None:
        """Lets go of the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRemoteEngine:
    """The same for asyncio: every method is awaited, and `async with` closes it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url, self._token = url, token
        self._client = httpx.AsyncClient(**options_of(url, token))

    async def search(
        self,
        *terms: Any,
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        minus: Sequence[Any] | str | Path = (),
        each: bool = False,
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Hits:
        """The best hits, best first; see `RemoteEngine.search`."""
        answer = await self.ask(
            terms, minus=flows.repelling(minus), into=into, k=k, where=where, each=each, root=root,
            min_score=min_score, names=names, factors=factors,
        )  # fmt: skip
        return Hits(answer.hits, AsyncMedia(self._url, self._token))

    async def ask(
        self,
        terms: Sequence[Any],
        *,
        minus: Sequence[Any] = (),
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        each: bool = False,
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Answer:
        """The answer to a question of several terms; see `RemoteEngine.ask`."""
        return await self._run(
            flows.ask(
                terms, minus=minus, into=into, k=k, where=where, each=each, root=root,
                min_score=min_score, names=names, factors=factors,
            )
        )  # fmt: skip

    async def ask_many(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers to several questions at a time; see `RemoteEngine.ask_many`."""
        return await self._run(flows.ask_many(questions))

    async def similar(
        self,
        item: int,
        *,
        into: Sequence[str] | str | None = None,
        k: int = 10,
        factors: str | Factors | None = None,
    ) -> Hits:
        """What is like an item of the library, without itself and its copies."""
        answer = await self._run(flows.similar(item, into, k, factors))
        return Hits(answer.hits, AsyncMedia(self._url, self._token))

    async def status(self) -> dict[str, Any]:
        """How the server and its library are."""
        return await self._run(flows.status())

    async def item(self, item: int) -> dict[str, Any]:
        """What is known of an item."""
        return await self._run(flows.item(item))

    async def content(self, item: int) -> bytes:
        """The file of an item."""
        return await self._run(flows.content(item))

    async def preview(self, item: int, kind: str = "still") -> bytes | None:
        """A preview of an item, None when there is none (yet)."""
        return await self._run(flows.preview(item, kind))

    async def _run(self, flow: Flow[T]) -> T:
        try:
            call: Call = next(flow)
            while True:
                with told(self._client.base_url):
                    response = await self._client.request(call.method, call.path, **call.options)
                call = flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    async def aclose(self) -> None:
        """Lets go of the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class RemoteMedia:
    """Pictures and sounds of hits, fetched when a notebook shows them."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine

    def picture(self, hit: Hit) -> bytes | None:
        """The still preview of a hit, WebP."""
        return self._engine.preview(hit.item)

    def sound(self, hit: Hit, most_bytes: int) -> bytes | None:
        """The file of a hit, unless it is larger."""
        if self._engine.item(hit.item)["size_bytes"] > most_bytes:
            return None
        return self._engine.content(hit.item)


class AsyncMedia:
    """The same for hits of an AsyncRemoteEngine: a notebook does not await what it shows."""

    def __init__(self, url: str, token: str | None) -> None:
        self._address = url, token

    def picture(self, hit: Hit) -> bytes | None:
        """The still preview of a hit, WebP."""
        with RemoteEngine(*self._address) as engine:  # hits are never closed
            return RemoteMedia(engine).picture(hit)

    def sound(self, hit: Hit, most_bytes: int) -> bytes | None:
        """The file of a hit, unless it is larger."""
        with RemoteEngine(*self._address) as engine:
            return RemoteMedia(engine).sound(hit, most_bytes)


@contextmanager
def told(url: httpx.URL) -> Iterator[None]:
    """Failures of the line as one error that says what to do."""
    where = str(url).rstrip("/")
    try:
        yield
    except httpx.ConnectError:
        raise ServerError(f"{where}: no server answers; start it with 'unisearch serve'") from None
    except httpx.TimeoutException:
        raise ServerError(f"{where}: did not answer in time; ask again") from None
    except httpx.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ServerError(f"{where}: the line broke: {reason}; ask again") from None
    except RuntimeError as error:
        raise ServerError(f"{where}: {error}") from None  # it was closed


def options_of(url: str, token: str | None) -> dict[str, Any]:
    """How a client is made. Raises UsageError for an address that is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"'{url}': an address of a server is as http://127.0.0.1:8765")
    if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
        raise UsageError("a token is one line of letters and digits, as --new-token prints it")
    return {
        "base_url": url.rstrip("/").removesuffix("/v1"),
        "headers": {} if token is None else {"Authorization": f"Bearer {token}"},
        "timeout": TIMEOUT,
        # A proxy of the environment reaches no server of this machine.
        "trust_env": parts.hostname not in ("localhost", "127.0.0.1", "::1"),
    }
