"""unisearch: any file in, every modality out.

    import unisearch

    with unisearch.open("library") as engine:
        for hit in engine.search("dog barking", into="image"):
            print(hit.score, hit.path)

`connect("http://127.0.0.1:8765")` gives the same methods over a server's library.

Importing this package is cheap: numpy and torch are loaded when a library is opened.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` would delay the moment from which the command minds Ctrl-C
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from unisearch.engine.engine import Engine
    from unisearch.engine.questions import Question
    from unisearch.engine.terms import Term, Vector
    from unisearch.remote.engine import AsyncRemoteEngine, RemoteEngine

__all__ = ["Engine", "Question", "Term", "Vector", "__version__", "aconnect", "connect", "open"]
__version__ = "0.1.0"


def open(library: Path | str | None = None, *, config: Path | str | None = None) -> Engine:
    """An engine over a library, to be closed or used in a with statement.

    library: its folder; else $UNISEARCH_LIBRARY, the configuration, the user's data folder
    config: a configuration file; see config.yaml
    Raises LibraryMissing when there is none, LibraryError when it cannot be used.
    """
    from unisearch.config import load_settings
    from unisearch.engine.engine import Engine
    from unisearch.wiring import open_rooms

    return Engine(open_rooms(load_settings(config, library=library), stays=True))


def connect(url: str, token: str | None = None) -> RemoteEngine:
    """The library of a server (`unisearch serve`), with the methods of an engine.

    url: such as http://127.0.0.1:8765; token: as `unisearch serve --new-token` printed it
    Nothing is asked yet: a server that is not there is told with the first question.
    Raises UsageError for what is no address.
    """
    from unisearch.remote.engine import RemoteEngine

    return RemoteEngine(url, token)


def aconnect(url: str, token: str | None = None) -> AsyncRemoteEngine:
    """As `connect`, for asyncio: `async with unisearch.aconnect(url) as engine`."""
    from unisearch.remote.engine import AsyncRemoteEngine

    return AsyncRemoteEngine(url, token)


def __getattr__(name: str) -> Any:
    """Engine, Question, Term and Vector, imported when they are first named."""
    if name == "Engine":
        from unisearch.engine.engine import Engine

        return Engine
    if name == "Question":
        from unisearch.engine.questions import Question

        return Question
    if name in ("Term", "Vector"):
        from unisearch.engine import terms

        return getattr(terms, name)
    raise AttributeError(f"module 'unisearch' has no attribute '{name}'")
