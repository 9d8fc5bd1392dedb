"""Many questions at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.conftest import Library, text
from unisearch.engine.engine import Engine
from unisearch.engine.questions import Question, each
from unisearch.engine.terms import Term, Vector
from unisearch.errors import LibraryDamaged, UnisearchError, UsageError
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


GOOD = Question([Term("dog")])
WRONG: dict[str, tuple[Question, str]] = {
    "repels alone": (Question([Term("dog", -1.0)]), "nothing to search for: give at least"),
    "no such item": (Question([Term(99)]), "item:99: the library has no such item"),
    "a short vector": (
        Question([Term(Vector([1.0], "image"))]),
        "a vector of this library's space is",
    ),
    "a file that is gone": (Question([Term(Path("/gone.wav"))]), "/gone.wav: vanished: "),
    "no factors": (Question([Term("dog")], factors="strong"), "unknown preset of factors 'strong'"),
    "a folder": (Question([Term("dog")], under="/gone"), "/gone: no such folder"),
}


@pytest.mark.parametrize("name", WRONG)
def test_of_several_questions_the_error_names_the_one_that_is_wrong(
    library: Library, name: str
) -> None:
    question, said = WRONG[name]
    good = replace(GOOD, factors="versatile") if question.factors else GOOD
    with Engine(open_rooms(library.settings)) as engine:
        with pytest.raises(UnisearchError) as several:
            engine.ask_many([good, good, question, question])
        with pytest.raises(UnisearchError) as alone:
            engine.ask_many([question])

    assert (several.value.question, alone.value.question) == (2, None)
    assert str(alone.value).startswith(said)
    assert str(several.value) == f"questions.2: {alone.value}"


def test_what_is_wrong_with_the_library_is_about_no_question(library: Library) -> None:
    def broken(_: int) -> None:
        raise LibraryDamaged("a page is torn")

    with pytest.raises(LibraryDamaged, match=r"^a page is torn$"):
        each(broken, [1, 2])


def test_questions_that_no_space_can_ever_answer_are_told_as_they_are_alone(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToySpace, "modalities", ("image",))
    monkeypatch.setattr(ToySpace, "encode", None)
    picture = Question([Term(Vector([1.0] + [0.0] * 63, "image"))], into=["image"])
    with Engine(open_rooms(library.settings)) as engine, pytest.raises(UsageError) as told:
        engine.ask_many([picture, GOOD])

    assert str(told.value).startswith("questions.1: no space of this library can be asked with")
