"""What is kept aside stays aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from unisearch.errors import UsageError
from unisearch.training.corpus import concept_of, read_corpus, unpack
from unisearch.training.split import split_corpus


def test_a_folder_without_a_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no corpus in .*emoji\.zip"):
        read_corpus(tmp_path)


def test_items_know_their_files_names_and_authors(corpus_folder: Path) -> None:
    corpus = read_corpus(corpus_folder)

    kinds = Counter(item.kind for item in corpus.items)
    cow = corpus.of("recordings")[0]

    assert kinds == {
        "emoji": 8,
        "emoji_flat": 8,
        "models": 8,
        "furniture": 5,
        "recordings": 5,
        "sounds": 1,
    }
    assert (cow.name, cow.concept) == ("cow moo", "cow")
    assert cow.credit == ("CC BY 3.0", "Somebody", "https://example.org/0")
    assert corpus.of("sounds")[0].concept == "drum"


def test_files_are_unpacked_beside_each_other(corpus_folder: Path, tmp_path: Path) -> None:
    item = read_corpus(corpus_folder).of("furniture")[0]

    folder = unpack(corpus_folder, "furniture", tmp_path)

    assert (folder / item.member).is_file()
    assert (folder / item.icon).is_file()


def test_the_same_seed_keeps_the_same_items_aside(corpus_folder: Path) -> None:
    corpus = read_corpus(corpus_folder)

    assert split_corpus(corpus, 3) == split_corpus(corpus, 3)
    assert split_corpus(corpus, 3) != split_corpus(corpus, 4)


def test_every_label_with_several_recordings_keeps_exactly_one_aside(corpus_folder: Path) -> None:
    corpus = read_corpus(corpus_folder)

    kept = split_corpus(corpus).kept(corpus.of("recordings"))

    assert sorted(item.name for item in kept) == ["church bells", "cow moo"]


def test_trained_and_kept_share_no_file(corpus_folder: Path) -> None:
    corpus = read_corpus(corpus_folder)
    split = split_corpus(corpus)

    trained = {item.key for item in split.trained(corpus.items)}
    kept = {item.key for item in split.kept(corpus.items)}

    assert not trained & kept
    assert len(trained) + len(kept) == len(corpus.items)


def test_the_real_corpus_keeps_enough_aside(real_corpus: Path) -> None:
    corpus = read_corpus(real_corpus)
    split = split_corpus(corpus)

    kept = Counter(item.kind for item in split.kept(corpus.items))
    names: dict[str, set[bool]] = defaultdict(set)
    for item in corpus.of("emoji", "emoji_flat"):
        names[item.name].add(item.key in split.aside)

    assert kept["furniture"] >= 40
    assert kept["models"] >= 150
    assert sum(aside == {True} for aside in names.values()) >= 100
    assert sum(aside == {True, False} for aside in names.values()) >= 100


def test_new_names_are_in_no_trained_item(real_corpus: Path) -> None:
    corpus = read_corpus(real_corpus)
    split = split_corpus(corpus)

    new = {(item.kind, item.name) for item in corpus.items if item.key in split.new_names}
    trained = {(item.kind, item.name) for item in split.trained(corpus.items)}

    assert len(new) > 100
    assert not new & trained


def test_every_recording_and_every_sample_has_a_concept(real_corpus: Path) -> None:
    corpus = read_corpus(real_corpus)

    assert all(item.concept for item in corpus.of("recordings", "sounds"))
    assert len(corpus.of("sounds")) == 170
    assert concept_of("recording", "never heard") == ""
