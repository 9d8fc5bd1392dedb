"""What is written while a long run goes on is searchable before that ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import Indexer, Progress, Report
from indexer.watch.fresh import Fresh
from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


def test_a_file_that_is_written_during_a_run_does_not_wait_for_its_end(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.watch.fresh.EVERY_S", 0.0)
    settings = library.settings.model_copy(
        update={"index": library.settings.index.model_copy(update={"commit_every": 1})}
    )
    for number in range(40):
        make["text"](library.media / "bulk" / f"{number}.txt", f"Number {number}")
    new = library.media / "new.txt"
    due: list[bytes] = []
    told: list[tuple[Report, list[bytes]]] = []
    seen_at: list[int] = []

    def take(most: int) -> list[bytes]:
        taken = due[:most]
        del due[:most]
        return taken

    with Indexer(settings=settings) as indexer:
        fresh = Fresh(take, indexer.beside, lambda *end: told.append(end))  # type: ignore[arg-type]

        def hook(now: Progress) -> None:
            done = sum(now.done.values())
            if done == 3 and not new.exists():
                due.append(bytes(make["text"](new, "Written just now")))
            fresh.look()
            if "new.txt" in library.names():
                seen_at.append(done)

        report = indexer.run(library.media, progress=hook)
        fresh.look()

    assert min(seen_at) < 30, "it waited"
    assert report.added == 40
    [(beside, places)] = told
    assert (beside.added, places) == (1, [bytes(new)])


def test_one_job_goes_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch.fresh.EVERY_S", 0.0)
    begun: list[object] = []

    class Going:
        end = None

    fresh = Fresh(
        lambda most: [b"/a"],
        lambda places: begun.append(places) or Going(),  # type: ignore[arg-type, func-returns-value, return-value]
        lambda *end: None,
    )
    for _ in range(3):
        fresh.look()

    assert begun == [[b"/a"]]
