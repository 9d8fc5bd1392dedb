"""unisearch: any file in, every modality out.

    import unisearch

    with unisearch.open("library") as engine:
        for hit in engine.search("dog barking", into="image"):
            print(hit.score, hit.path)

Importing this package is cheap: numpy and torch are loaded when a library is opened.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` would delay the moment from which the command minds Ctrl-C
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from unisearch.engine.engine import Engine
    from unisearch.engine.terms import Term

__all__ = ["Engine", "Term", "__version__", "open"]
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


def __getattr__(name: str) -> Any:
    """Engine and Term, imported when they are first named."""
    if name == "Engine":
        from unisearch.engine.engine import Engine

        return Engine
    if name == "Term":
        from unisearch.engine.terms import Term

        return Term
    raise AttributeError(f"module 'unisearch' has no attribute '{name}'")
