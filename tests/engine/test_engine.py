"""Questions to a small library of real files, in the toy space."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import unisearch
from indexer import Indexer
from unisearch.config import Settings, load_settings
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term
from unisearch.errors import (
    ForeignSpace,
    LibraryMissing,
    UnisearchError,
    UnknownName,
    Unreadable,
    UsageError,
)
from unisearch.records import Hit
from unisearch.wiring import open_rooms
from unisearch.world.files import write_mesh, write_sound
from unisearch.world.meshes import make_mesh

SENTENCES = {
    "harbour.txt": "Seven ships lie in the quiet harbour.",
    "kitchen.txt": "The kettle whistles on the stove.",
    "night.txt": "An owl hoots in the dark forest.",
}


def make_media(folder: Path) -> Path:
    """Three files of each modality, and a copy of one of them."""
    numbers = np.random.default_rng(0)
    folder.mkdir()
    for name, text in SENTENCES.items():
        (folder / name).write_text(text)
    for name in ("red", "green", "blue"):
        coarse = numbers.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.NEAREST).save(
            folder / f"{name}.png"
        )
        write_mesh(folder / f"{name}.ply", make_mesh("chair", len(name)))
        tone = np.sin(np.arange(12_000) * 0.02 * len(name)).astype(np.float32)
        write_sound(folder / f"{name}.wav", 0.5 * tone, 16_000)
    (folder / "copies").mkdir()
    shutil.copy(folder / "red.png", folder / "copies" / "same picture.png")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(library=tmp_path / "library", space="toy")


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    folder = make_media(tmp_path / "media")
    with Indexer(settings=settings) as indexer:
        report = indexer.run([folder])
    assert not report.failed
    return folder


@pytest.fixture
def engine(media: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    with unisearch.open(settings.library) as opened:
        yield opened


def names(hits: list[Hit]) -> list[str]:
    return [Path(os.fsdecode(hit.path)).name for hit in hits]


@pytest.mark.parametrize("suffix", [".txt", ".png", ".wav", ".ply"])
def test_a_file_finds_itself_first(engine: Engine, media: Path, suffix: str) -> None:
    for file in media.glob(f"*{suffix}"):
        hits = engine.search(file)

        assert hits[0].similarity == pytest.approx(1, abs=1e-3)
        assert hits[0].path == os.fsencode(file)
        assert not hits[0].weak


def test_hits_are_of_the_wanted_modalities_ranked_and_best_first(
    engine: Engine, media: Path
) -> None:
    hits = engine.search(media / "red.png", into=["audio", "3d"], k=4)

    assert {hit.modality for hit in hits} <= {"audio", "3d"}
    assert len(hits) == 4
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_each_gives_k_of_every_modality(engine: Engine) -> None:
    answer = engine.ask([Term("owl")], k=2, each=True)

    kinds = [hit.modality for hit in answer.hits]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "text": 2,
        "image": 2,
        "audio": 2,
        "3d": 2,
    }


def test_copies_of_a_content_are_one_hit(engine: Engine, media: Path) -> None:
    hits = engine.search(media / "red.png", into="image", k=10)

    assert len(hits) == 3
    assert hits[0].copies == 1


def test_an_item_finds_others_but_neither_itself_nor_its_copies(
    engine: Engine, media: Path
) -> None:
    first = engine.search(media / "red.png", into="image", k=1)[0]

    hits = engine.search(first.item, into="image")

    assert sorted(names(hits)) == ["blue.png", "green.png"]


def test_words_in_a_name_or_a_passage_add_a_hit_and_say_so(engine: Engine) -> None:
    by_name = engine.search("green", into="image")
    by_passage = engine.search("owl", into="text")

    assert names(by_name)[0] == "green.png"
    assert (by_name[0].matched, by_name[0].weak) == ("name", False)
    assert names(by_passage)[0] == "night.txt"
    assert by_passage[0].text == SENTENCES["night.txt"]


def test_a_word_that_the_space_does_not_know_finds_its_file_among_many(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    numbers = np.random.default_rng(5)
    folder = tmp_path / "many"
    folder.mkdir()
    invented = ["dubivazi", "kolemir", "tastupo", "wexlan"]
    for number in range(150):
        name = invented[number] if number < len(invented) else f"IMG {number:04}"
        Image.fromarray(numbers.integers(0, 255, (24, 24, 3), np.uint8)).save(
            folder / f"{name}.png"
        )
        (folder / f"{number:04}.txt").write_text(f"number {number} " * 3)
    with Indexer(settings=settings) as indexer:
        indexer.run([folder])

    with unisearch.open(settings.library) as engine:
        for word in invented:
            assert names(engine.search(word, k=2))[0] == f"{word}.png"


def test_names_can_be_left_out(engine: Engine) -> None:
    hits = engine.search("green", into="image", names=False)

    assert all(hit.matched == "vector" for hit in hits)


def test_a_repelling_term_sinks_what_matches_it(engine: Engine) -> None:
    def scores(**options: Any) -> dict[str, float]:
        hits = engine.search("ships kettle", into="text", names=False, **options)
        return {name: hit.score for name, hit in zip(names(hits), hits, strict=True)}

    plain, without = scores(), scores(minus=SENTENCES["harbour.txt"])

    sunk = {name: plain[name] - without[name] for name in plain}
    assert sunk["harbour.txt"] > 5
    assert min(sunk.values()) >= 0
    assert sunk["kitchen.txt"] < sunk["harbour.txt"] - 3


def test_a_mixed_question_is_answered_by_both_terms(engine: Engine, media: Path) -> None:
    def scores(*terms: Any) -> dict[bytes, float]:
        return {hit.path: hit.score for hit in engine.search(*terms, k=99, names=False)}

    picture, words = media / "red.png", SENTENCES["kitchen.txt"]
    by_picture, by_words = scores(picture), scores(words)

    both = scores(Term(picture, 3.0), words)

    for path, score in both.items():
        expected = (3 * by_picture[path] + by_words[path]) / np.sqrt(10)
        assert score == pytest.approx(expected, abs=1e-3)


def test_under_a_folder_only_its_files_are_found(engine: Engine, media: Path) -> None:
    hits = engine.search(media / "red.png", under=media / "copies")

    assert names(hits) == ["same picture.png"]


def test_a_least_score_cuts_the_list(engine: Engine, media: Path) -> None:
    every = engine.search(media / "red.png")

    some = engine.search(media / "red.png", min_score=every[2].score)

    assert [hit.item for hit in some] == [hit.item for hit in every[:3]]


def test_what_nothing_fits_is_said(engine: Engine) -> None:
    answer = engine.ask([Term("zeppelin")], into=["3d", "audio"])

    assert answer.no_match
    assert all(hit.weak for hit in answer.hits)


def test_the_json_form_is_the_contract(engine: Engine, media: Path) -> None:
    answer = engine.ask([Term(media / "night.txt", 2.0)], k=1).to_json()

    assert list(answer) == ["query", "hits", "no_match", "took_ms"]
    assert answer["query"][0] | {"space": ""} == {
        "modality": "text",
        "term": str(media / "night.txt"),
        "weight": 2.0,
        "space": "",
    }
    assert list(answer["hits"][0]) == [
        "rank", "item", "path", "modality", "score", "similarity", "weak",
        "expected_by_chance", "matched", "copies", "segment", "space",
    ]  # fmt: skip
    assert answer["hits"][0]["segment"] == {
        "start_s": None,
        "end_s": None,
        "text": SENTENCES["night.txt"],
    }
    assert set(answer["took_ms"]) == {"encode", "search", "total"}


def test_bytes_pictures_and_arrays_are_terms(engine: Engine, media: Path) -> None:
    picture = Image.open(media / "blue.png")

    for term in (
        (media / "blue.png").read_bytes(),
        picture,
        (np.asarray(picture), "image"),
    ):
        assert names(engine.search(term, into="image"))[0] == "blue.png"
    assert names(engine.search((media / "blue.wav").read_bytes(), into="audio"))[0] == "blue.wav"


def test_new_files_are_found_without_opening_anew(
    engine: Engine, media: Path, settings: Settings
) -> None:
    assert len(engine.search("anything", into="image")) == 3
    Image.new("RGB", (64, 64), "orange").save(media / "orange.png")
    (media / "red.png").unlink()
    (media / "copies" / "same picture.png").unlink()

    with Indexer(settings=settings) as indexer:
        indexer.run([media])

    found = names(engine.search(media / "orange.png", into="image", k=9))
    assert found[0] == "orange.png"
    assert sorted(found) == ["blue.png", "green.png", "orange.png"]


def test_questions_without_meaning_are_refused_in_one_line(engine: Engine, media: Path) -> None:
    with pytest.raises(UsageError, match="nothing to search for"):
        engine.search(minus=["dog"])
    with pytest.raises(UsageError, match="must be at least 1"):
        engine.search("dog", k=0)
    for k in ("5", 2.5):
        with pytest.raises(UsageError, match=r"k is .* whole number"):
            engine.search("dog", k=k)  # type: ignore[arg-type]
    for score in (float("nan"), np.float32("nan"), "3"):
        with pytest.raises(UsageError, match=r"the least score is .* a number"):
            engine.search("dog", min_score=score)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean 'image'"):
        engine.search("dog", into="imagge")
    with pytest.raises(UnisearchError, match="no such item"):
        engine.search(99_999)
    with pytest.raises(Unreadable, match="3 bytes: unsupported: of no format"):
        engine.search(b"\x00\x01\x02")
    (media / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Unreadable):
        engine.search(media / "broken.png")


def test_a_library_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LibraryMissing, match="unisearch index"):
        unisearch.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_library_answers_with_nothing(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty").mkdir()
    with Indexer(settings=settings) as indexer:
        indexer.run([tmp_path / "empty"])

    with Engine(open_rooms(settings)) as engine:
        answer = engine.ask([Term("dog")])

    assert answer.no_match
    assert list(answer.hits) == []


@pytest.fixture
def book(media: Path, settings: Settings) -> Path:
    """A text of more passages than a search looks at first, all about one thing."""
    file = media / "book.txt"
    file.write_text(
        " ".join(f"A ship lies in harbour number {n} of the coast." for n in range(900))
    )
    with Indexer(settings=settings) as indexer:
        indexer.run([media])
    return file


def test_a_long_file_does_not_crowd_out_the_others(book: Path, engine: Engine) -> None:
    hits = engine.search("a ship lies in the harbour", into="text", k=4, names=False)

    assert sorted(names(hits)) == ["book.txt", *sorted(SENTENCES)]
    assert len([hit for hit in hits if hit.path == bytes(book)]) == 1


def test_the_item_of_a_long_file_finds_the_others(book: Path, engine: Engine) -> None:
    first = engine.search(book, into="text", k=1)[0]

    hits = engine.search(first.item, into="text", k=3)

    assert sorted(names(hits)) == sorted(SENTENCES)


def test_many_names_elsewhere_do_not_hide_a_name_here(
    engine: Engine, media: Path, settings: Settings
) -> None:
    for number in range(250):
        (media / f"dog {number}.txt").write_text(f"Number {number}.")
    Image.new("RGB", (32, 32), "brown").save(media / "an old and rather shaggy dog at home.png")
    with Indexer(settings=settings) as indexer:
        indexer.run([media])

    hits = engine.search("dog", into="image", k=1)

    assert names(hits) == ["an old and rather shaggy dog at home.png"]
    assert hits[0].matched == "name"


@pytest.mark.parametrize("k", [13, 10**12, 2**70])
def test_more_hits_than_there_are_may_be_asked_for(engine: Engine, media: Path, k: int) -> None:
    every = engine.search(media / "red.png", k=k)
    filtered = engine.search(media / "red.png", "ship", k=k, where="kind:image")
    of_each = engine.ask([Term("ship")], k=k, each=True).hits

    assert len(every) == len(of_each) == 12
    assert len(filtered) == 3


def test_a_name_hit_of_a_shared_content_shows_the_file_of_that_name(engine: Engine) -> None:
    hits = engine.search("same picture", into="image", k=1)

    assert names(hits) == ["same picture.png"]
    assert hits[0].copies == 1


def test_a_picture_in_memory_is_treated_like_its_file(engine: Engine, media: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 60, 4), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(pixels).save(media / "turned.png", exif=turned)

    [from_file] = engine.search(media / "turned.png", into="image", k=1)
    [from_memory] = engine.search(Image.open(media / "turned.png"), into="image", k=1)

    assert from_memory.similarity == pytest.approx(from_file.similarity, abs=1e-4)


def test_weights_and_single_terms_are_taken_as_they_are_meant(engine: Engine) -> None:
    with pytest.raises(UsageError, match="nothing to search for"):
        engine.search(Term("dog", -1.0))
    for weight in (float("nan"), 0.0, 10.1, -1e39, 1e-50):
        with pytest.raises(UsageError, match=r"dog: a weight is from 0\.001 to 10"):
            engine.search(Term("dog", weight))

    one = engine.search("ship", minus="bird", into="image,text")

    assert {hit.modality for hit in one} == {"image", "text"}
    assert len(engine.search("ship", k=np.int64(2))) == 2  # type: ignore[arg-type]


def test_a_library_of_another_space_is_refused(media: Path, settings: Settings) -> None:
    with sqlite3.connect(settings.library / "catalog.db") as catalog:
        catalog.execute("PRAGMA foreign_keys = OFF")
        catalog.execute("UPDATE spaces SET id = 'other-9', name = 'other'")

    with Engine(open_rooms(settings)) as engine, pytest.raises(ForeignSpace, match="other-9"):
        engine.search("dog")


def test_a_folder_that_is_nowhere_is_an_error_and_an_empty_one_is_not(
    engine: Engine, media: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnisearchError, match="no such folder"):
        engine.search("dog", under=str(tmp_path / "nowhere"))

    with pytest.raises(UsageError, match="an empty path"):
        engine.search("dog", under="")

    assert engine.search("dog", under=tmp_path) != []
    assert engine.search("dog", under=str(media / "copies") + "/") != []


def test_only_files_that_pass_the_filter_are_found(engine: Engine, media: Path) -> None:
    hits = engine.search("green", where="kind in (image, audio) and size>1", k=50)
    elsewhere = engine.search(media / "red.png", where="name:blue or name:green", into="image")

    assert {hit.modality for hit in hits} == {"image", "audio"}
    assert len(hits) == 6
    assert sorted(names(elsewhere)) == ["blue.png", "green.png"]


def test_as_many_hits_as_asked_for_survive_a_filter(engine: Engine, media: Path) -> None:
    last = engine.search(media / "red.png", k=50)[-1]
    name = os.fsdecode(os.path.basename(last.path))  # noqa: PTH119

    assert names(engine.search(media / "red.png", where=f'name="{name}"', k=1)) == [name]


def test_the_copy_that_passes_is_the_one_that_is_shown(engine: Engine, media: Path) -> None:
    copy = "same picture.png"

    by_vector = engine.search(media / "red.png", into="image", where="path:copies/*")
    by_name = engine.search("red", into="image", where=f'name:"{copy}"')
    in_both = engine.search("red", into="image", where="name:same", under=media / "copies")
    in_neither = engine.search("red", into="image", where="name:red", under=media / "copies")

    assert [names(hits) for hits in (by_vector, by_name, in_both)] == [[copy]] * 3
    assert in_neither == []


def test_a_filter_that_nothing_passes_is_an_answer_without_hits(engine: Engine) -> None:
    answer = engine.ask([Term("owl")], where="duration>100h")

    assert answer.hits == []
    assert answer.no_match


def test_a_mistake_in_a_filter_or_an_option_is_named(engine: Engine) -> None:
    with pytest.raises(UsageError, match="character 1: unknown field 'durration'; did you mean"):
        engine.search("owl", where="durration<5")
    with pytest.raises(TypeError, match="wehre"):
        engine.search("owl", wehre="duration<5")  # type: ignore[call-arg]


def test_a_missing_folder_is_told_and_a_filter_without_survivors_is_not(
    engine: Engine, media: Path, tmp_path: Path
) -> None:
    shutil.move(media / "copies", tmp_path / "moved")

    assert engine.search("red", under=media / "copies", where="duration<5") == []
    with pytest.raises(UnisearchError, match="no such folder"):
        engine.search("red", under=media / "nowhere", where="size>0")
