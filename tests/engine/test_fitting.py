"""What fits and what does not, in the starter space, on sample media that it never saw."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from unisearch.config import load_settings
from unisearch.engine.answer import Answer
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term
from unisearch.records import Hit
from unisearch.wiring import open_rooms
from unisearch.world.files import write_sound
from unisearch.world.library import make_library
from unisearch.world.sounds import make_sound

Open = Callable[[Sequence[Path]], Engine]
SEED = 7_100


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens a new library of these files."""
    with ExitStack() as stack:

        def index(files: Sequence[Path]) -> Engine:
            settings = load_settings(library=tmp_path_factory.mktemp("library"), space="starter")
            with Indexer(settings=settings) as indexer:
                assert indexer.run(files).added == len(files)
            return stack.enter_context(Engine(open_rooms(settings)))

        yield index


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, opened: Open) -> Engine:
    """Four files of every kind of five things, each thing in a folder of its name."""
    folder = tmp_path_factory.mktemp("media")
    return opened(
        [
            file
            for thing in ("dog", "car", "drum", "guitar", "chicken")
            for file in make_library(folder / thing, concepts=[thing], per_concept=4, seed=SEED)
        ]
    )


def ask(engine: Engine, *terms: Any, **options: Any) -> Answer:
    return engine.ask([Term(term) for term in terms], names=False, **options)


def things(hits: Sequence[Hit]) -> list[str]:
    """What each hit shows."""
    return [Path(os.fsdecode(hit.path)).parent.parent.name for hit in hits]


def test_a_library_of_three_things_knows_what_fits(tmp_path: Path, opened: Open) -> None:
    files = make_library(tmp_path, concepts=["dog", "chair", "guitar"], seed=SEED)
    model, picture, sound = files[0], files[5], files[-2]
    engine = opened([model, picture, sound])

    dog, trombone = ask(engine, "dog"), ask(engine, "trombone")

    assert dog.hits[0].path == bytes(model)
    assert [hit.weak for hit in dog.hits] == [False, True, True]
    assert trombone.no_match


def test_a_library_of_nothing_but_dogs_still_fits_dog(tmp_path: Path, opened: Open) -> None:
    engine = opened(make_library(tmp_path, concepts=["dog"], per_concept=10, seed=SEED))

    dog, trombone = ask(engine, "dog", k=40), ask(engine, "trombone", k=40)

    assert not dog.no_match
    assert sum(not hit.weak for hit in dog.hits) >= 30
    assert trombone.no_match


@pytest.mark.parametrize("thing", ["car", "drum", "guitar"])
def test_many_of_a_kind_do_not_make_it_chance(mixed: Engine, thing: str) -> None:
    answer = ask(mixed, thing, k=16)

    assert things(answer.hits[:12]) == [thing] * 12
    assert not any(hit.weak for hit in answer.hits[:12])


@pytest.mark.parametrize("words", ["zzyzx", "asdf qwer", "qwertyuiop", "parliament"])
def test_words_without_meaning_fit_nothing(mixed: Engine, words: str) -> None:
    assert ask(mixed, words).no_match


def test_modalities_merge_where_bare_cosines_would_put_one_first(
    mixed: Engine, tmp_path: Path
) -> None:
    heard = write_sound(tmp_path / "dog.wav", make_sound("dog", SEED + 50), 16_000)

    answer = ask(mixed, heard, k=80)

    by_cosine = sorted(answer.hits, key=lambda hit: -hit.similarity)
    assert [hit.modality for hit in by_cosine[:4]] == ["audio"] * 4
    assert {hit.modality for hit in answer.hits[:4]} != {"audio"}
    assert {hit.modality for hit in answer.hits[:12]} == {"text", "image", "audio", "3d"}
    right, by_cosine_right = (things(hits[:16]).count("dog") for hits in (answer.hits, by_cosine))
    assert right >= by_cosine_right
    assert right >= 14


def test_what_is_not_wanted_sinks_below_what_is(mixed: Engine) -> None:
    both = ask(mixed, "dog", "car", k=80)
    without = ask(mixed, "dog", "car", minus=[Term("car")], k=80)

    assert things(both.hits[:20]).count("car") >= 6
    assert things(without.hits[:12]) == ["dog"] * 12
    assert things(without.hits[-16:]).count("car") >= 12
