"""Many questions at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.indexer.conftest import Library, text
from unisearch.engine.engine import Engine
from unisearch.engine.many import Question
from unisearch.engine.terms import Term
from unisearch.errors import UsageError
from unisearch.index.reader import PartitionReader
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path)
    library.fill()
    for number in range(12):
        text(library.media / f"{number}.txt", f"Sentence number {number} of a long story")
    library.run()
    return library


def test_words_pass_the_network_once_and_each_index_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    rows: list[int] = []
    encode, search = ToySpace.encode, PartitionReader.search

    def encoding(self: ToySpace, samples: Any) -> Any:
        passes.append(len(samples))
        return encode(self, samples)

    def searching(self: PartitionReader, queries: Any, *rest: Any) -> Any:
        rows.append(len(queries))
        return search(self, queries, *rest)

    questions = [Question([Term(f"story {n % 8}")], into=["text"], k=3) for n in range(10)]
    with Engine(open_rooms(library.settings)) as engine:
        alone = [engine.ask(one.terms, into=one.into, k=one.k).hits for one in questions]
        monkeypatch.setattr(ToySpace, "encode", encoding)
        monkeypatch.setattr(PartitionReader, "search", searching)

        together = [answer.hits for answer in engine.ask_many(questions)]

    assert together == alone
    assert passes == [8]  # what is asked twice is encoded once
    assert rows == [10]


def test_the_first_question_without_meaning_is_told(library: Library) -> None:
    with Engine(open_rooms(library.settings)) as engine, pytest.raises(UsageError, match="nothing"):
        engine.ask_many([Question([Term("dog")]), Question([Term("dog", -1.0)])])
