"""Whatever happens in the folders between runs, the library ends like one made afresh."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer import Indexer
from unisearch.config import Settings
from unisearch.wiring import open_rooms, row_files

NAMES = ("a.txt", "b.txt", "in/a.txt", "in/c.txt", "in/deep/d.txt", "other/e.txt")
CONTENTS = ("One dog.", "Two dogs. Then they ran. And more. Still more.", "A cat.", "")
CHANGES = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(CONTENTS)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("copy"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("run"), st.sampled_from(["", "in", "other", "a.txt", "in/a.txt"]), st.none()),
)


def change(media: Path, library: Settings, what: str, name: str, detail: str | None) -> None:
    path = media / name
    if what == "run":
        if path.exists():
            Indexer(settings=library).run([path])
    elif what == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(detail))
    elif path.exists() and what == "delete":
        path.unlink()
    elif path.exists() and detail != name:
        target = media / str(detail)
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.move if what == "move" else shutil.copyfile)(path, target)


def held(library: Settings) -> dict[bytes, list[NDArray[np.float16]]]:
    """The vectors of each readable file by its path; failures have none."""
    rows: dict[int, NDArray[np.float16]] = {}
    with open_rooms(library) as rooms, rooms.catalog.view() as view:
        assert view.problems() == []
        for partition in view.all_partitions():
            files = row_files(library.library, partition)
            stored = files.open(partition.epoch, partition.count)
            dead = view.partitions(partition.space)[partition.modality].dead
            for row in np.delete(np.arange(partition.count), dead):
                assert int(stored.keys[row]) not in rows
                rows[int(stored.keys[row])] = stored.vectors[row]
        assert sorted(rows) == list(view.segments())
        found = {
            item.path: [rows[key] for key in view.segments(items=[item.id]).tolist()]
            for item in view.items()
        }
        return found | {failure.path: [] for failure in view.failures()}


@settings(max_examples=20, deadline=None)
@given(changes=st.lists(CHANGES, min_size=3, max_size=14))
def test_any_changes_end_like_a_fresh_library(
    changes: list[tuple[str, str, str | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder, "media")
        media.mkdir()
        lived = Settings(library=Path(folder, "lived"), space="toy")
        fresh = Settings(library=Path(folder, "fresh"), space="toy")
        for one in changes:
            change(media, lived, *one)

        Indexer(settings=lived).run([media])
        Indexer(settings=fresh).run([media])

        found, expected = held(lived), held(fresh)
        assert found.keys() == expected.keys()
        for path, vectors in expected.items():
            assert np.array_equal(np.array(found[path]), np.array(vectors))
