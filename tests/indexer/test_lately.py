"""What is dropped and comes back to the same writer is not embedded again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import Indexer
from indexer.lately import KEEP_S, Lately
from indexer.pool import Pool
from tests.indexer.conftest import Library, picture, sound
from tests.indexer.test_building import healthy
from unisearch.errors import LibraryDamaged
from unisearch.previews.places import found
from unisearch.wiring import PREVIEWS_FOLDER, open_rooms

Forbid = Callable[[], None]


@pytest.fixture
def indexer(library: Library) -> Iterator[Indexer]:
    """A writer that keeps the library, which holds a file of each modality and a long sound."""
    library.fill()
    sound(library.media / "long.wav", 23, 3)
    with Indexer(settings=library.settings) as indexer:
        indexer.run(library.media)
        yield indexer


def previews(library: Library) -> list[bytes]:
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        digests = [digest for (digest,) in catalog.execute("SELECT digest FROM contents")]
    catalog.close()
    places = [found(library.path / PREVIEWS_FOLDER, digest).values() for digest in digests]
    return sorted(path.read_bytes() for some in places for path in some)


def by_words(library: Library) -> dict[tuple[bytes, float | None, str], np.ndarray]:
    """The vectors by (name, start, text) of their parts."""
    rows = library.live_rows()
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        hits = view.hits(list(rows))
    return {
        (hit.path.rpartition(b"/")[2], hit.start_s, hit.text): rows[segment]
        for segment, hit in hits.items()
    }


def test_what_was_gone_for_a_while_is_as_it_was(
    library: Library, indexer: Indexer, nothing_embedded: Forbid
) -> None:
    vectors, pictures = by_words(library), previews(library)
    away = library.media.parent / "away"
    for name in ("note.txt", "photos", "sounds", "long.wav", "rock.obj"):
        away.mkdir(exist_ok=True)
        (library.media / name).rename(away / name)
    assert indexer.run(library.media).removed == 5
    nothing_embedded()
    for path in away.iterdir():
        path.rename(library.media / path.name)

    report = indexer.run(library.media)

    assert (report.added, report.failed) == (5, [])
    back = by_words(library)
    assert back.keys() == vectors.keys()
    assert all((back[key] == rows).all() for key, rows in vectors.items())
    assert previews(library) == pictures
    healthy(library)


def test_a_content_whose_name_was_taken_before_its_new_one_was_seen_is_not_embedded_again(
    library: Library, indexer: Indexer, nothing_embedded: Forbid
) -> None:
    beach = library.media / "photos" / "beach.png"
    other = picture(library.media / "z.png", 9)
    indexer.run(library.media)
    before = len(library.live_rows())
    nothing_embedded()
    beach.rename(library.media.parent / "beach.png")
    other.rename(beach)
    indexer.refresh([bytes(beach)])
    (library.media.parent / "beach.png").rename(other)

    report = indexer.refresh([bytes(other)])

    assert (report.updated, report.failed) == (1, [])
    assert len(library.live_rows()) == before
    healthy(library)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that a worker has to read, from now on."""
    read: list[bytes] = []
    submit = Pool.submit

    def noted(self: Pool, path: bytes, *rest: Any, **more: Any) -> int:
        read.append(path)
        return submit(self, path, *rest, **more)

    monkeypatch.setattr(Pool, "submit", noted)
    return read


def leave_and_return(library: Library, indexer: Indexer, between: Callable[[], None]) -> Path:
    """A picture that is dropped, and comes back after that."""
    beach = library.media / "photos" / "beach.png"
    beach.rename(library.media.parent / "beach.png")
    assert indexer.run(library.media).removed == 1
    between()
    (library.media.parent / "beach.png").rename(beach)
    return beach


def test_after_forgetting_for_good_nothing_is_remembered(
    library: Library, indexer: Indexer, read: list[bytes]
) -> None:
    def forget() -> None:
        indexer.forget(library.media / "rock.obj", now=True)
        (library.media / "rock.obj").unlink()

    beach = leave_and_return(library, indexer, forget)

    assert indexer.run(library.media).added == 1
    assert bytes(beach) in read


def test_damaged_rows_are_not_taken_along(
    library: Library, indexer: Indexer, read: list[bytes]
) -> None:
    [rows] = (library.path / "vectors" / "toy-1" / "image").glob("*.f16")
    content = bytearray(rows.read_bytes())
    content[5] ^= 1
    rows.write_bytes(content)
    beach = leave_and_return(library, indexer, lambda: None)

    with pytest.raises(LibraryDamaged):
        indexer.run(library.media)

    assert bytes(beach) in read


def test_it_is_forgotten_after_a_while(library: Library) -> None:
    now = [0.0]
    lately = Lately(lambda: now[0])
    library.fill()
    library.run()
    with open_rooms(library.settings, write=True) as rooms:
        covers = {"toy-1": frozenset({"image", "text", "audio", "3d"})}
        with rooms.catalog.view() as view:
            [item] = [item for item in view.items() if item.modality == "image"]
        with sqlite3.connect(library.path / "catalog.db") as catalog:
            asked = "SELECT digest FROM contents WHERE id = ?"
            [digest] = catalog.execute(asked, (item.content,)).fetchone()
        catalog.close()
        with rooms.catalog.write() as tx:
            tx.remove_items([item.id])
            lately.keep(tx, library.path)
            tx.collect()

    known = [lately.draft(digest, b"/x.png", covers)]  # type: ignore[arg-type]
    known.append(lately.draft(digest, b"/x.png", {**covers, "other-1": covers["toy-1"]}))  # type: ignore[arg-type]
    now[0] = KEEP_S
    known.append(lately.draft(digest, b"/x.png", covers))  # type: ignore[arg-type]

    assert [one is not None for one in known] == [True, False, False]
