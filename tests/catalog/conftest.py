from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import Span, Stat
from unisearch.catalog.write import Writing
from unisearch.records import Modality

Add = Callable[..., int]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog.create(tmp_path / "catalog.db")
    yield made
    made.close()


@pytest.fixture
def add() -> Add:
    """Makes an item at a path, with a new content or the known one of that digest; its id."""

    def make(
        tx: Writing,
        path: bytes,
        digest: bytes | None = None,
        texts: Sequence[str] = ("",),
        modality: Modality = "text",
        root: bytes = b"/media",
        words: str = "",
    ) -> int:
        digest = digest or path
        content = tx.content_of(digest, 100, 1)
        if content is None:
            content = tx.put_content(digest, 100, modality, {"chars": 5}, words)
            tx.put_segments(content, [Span(None, None, text) for text in texts])
        item = tx.put_item(tx.add_root(root), path, Stat(1, 1, 100, 1_000, 2_000), content)
        tx.collect()
        return item

    return make
