"""Libraries of which little or nothing is left; both were found by the test of random changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.store import Store, check


@pytest.mark.parametrize("left", [1, 2, 20])
def test_what_is_left_of_an_indexed_partition_is_found(tmp_path: Path, left: int) -> None:
    files: dict[str, int] = {}
    store = Store(tmp_path / "library")
    for first, indexed in ((85, True), (255, False), (347, True)):
        new = {f"{first}-{number}.bin": first + number for number in range(120)}
        store.add(new)
        files.update(new)
        if indexed:
            store.snapshot()

    store.remove(sorted(files)[left:])

    check(tmp_path / "library", {name: files[name] for name in sorted(files)[:left]})


def test_a_partition_that_was_compacted_to_nothing_answers_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "library")
    store.add({"a.bin": 1, "b.bin": 2})
    store.remove(["a.bin", "b.bin"])
    store.compact()

    assert check(tmp_path / "library", {}) == {}
