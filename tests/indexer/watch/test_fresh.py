"""What is written while a long run goes on is searchable before that ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import Indexer, Progress, Report
from indexer.desk import Handed
from indexer.handover import Answer, Back, Job, decode_answer
from indexer.watch.fresh import Fresh
from tests.indexer.conftest import Library
from unisearch.errors import UnisearchError

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
        fresh = Fresh(take, indexer.beside, lambda *end: told.append(end), due.extend)  # type: ignore[arg-type]

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
        lambda places: None,
    )
    for _ in range(3):
        fresh.look()

    assert begun == [[b"/a"]]


@pytest.mark.parametrize("end", [None, Back(), UnisearchError("failed"), Report()])
def test_files_that_were_not_looked_at_are_taken_back(
    end: Answer | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None: nobody writes."""
    monkeypatch.setattr("indexer.watch.fresh.EVERY_S", 0.0)
    due, back, told = [b"/a"], [], []
    job = None if end is None else Handed(Job("index", (b"/a",)))
    fresh = Fresh(
        lambda most: [due.pop()] if due else [],
        lambda places: job,
        lambda report, places: told.extend(places),
        lambda places: back.extend(places),
    )
    fresh.look()
    if job is not None and end is not None:
        job.answer(end)
    fresh.look()

    assert (told, back) == (([b"/a"], []) if isinstance(end, Report) else ([], [b"/a"]))


def test_a_job_that_never_began_is_given_back_at_the_end(library: Library, make: Make) -> None:
    make["text"](library.media / "owl.txt", "An owl hoots")
    given: list[Handed | None] = []
    with Indexer(settings=library.settings) as indexer:

        def hook(now: Progress) -> None:
            del now
            given.append(indexer.beside([bytes(library.media / "owl.txt")]))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            indexer.run(library.media, progress=hook)

    [handed] = given
    assert handed is not None
    assert handed.end is not None
    assert isinstance(decode_answer(handed.end), (Back, Report))


def test_what_is_gone_is_not_dropped_beside_a_run_but_looked_at_again(
    library: Library, make: Make
) -> None:
    settings = library.settings.model_copy(
        update={"index": library.settings.index.model_copy(update={"commit_every": 1})}
    )
    old = make["text"](library.media / "old.txt", "An owl hoots")
    library.run()
    before = library.item("old.txt").id
    for number in range(10):
        make["text"](library.media / "bulk" / f"{number}.txt", f"Number {number}")
    given: list[Handed | None] = []
    with Indexer(settings=settings) as indexer:

        def hook(now: Progress) -> None:
            if not given:
                old.rename(library.media / "moved.txt")
                given.append(indexer.beside([bytes(old)]))

        indexer.refresh([bytes(library.media / "bulk")], progress=hook)
        [handed] = given
        assert handed is not None
        assert handed.end is not None
        beside = decode_answer(handed.end)
        assert isinstance(beside, Report)
        assert (beside.removed, beside.spared) == (0, [bytes(old)])
        report = indexer.refresh([bytes(old), bytes(library.media / "moved.txt")])

    assert report.moved == 1
    assert library.item("moved.txt").id == before
