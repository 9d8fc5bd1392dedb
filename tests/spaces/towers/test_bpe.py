"""Texts become CLIP's tokens: mended first, nothing lost, each with its published number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.merges import put_excerpt
from unisearch.errors import WeightsError
from unisearch.spaces.towers.bpe import MERGES, BytePairs, clean

START, END = 49_406, 49_407


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> BytePairs:
    folder = tmp_path_factory.mktemp("words")
    put_excerpt(folder)
    return BytePairs(folder)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  A   Cat\n sat ", "a cat sat"),
        ("it’s “quoted”", 'it\'s "quoted"'),
        ("ﬁne ﬂow", "fine flow"),
        ("ＦＵＬＬ　ｗｉｄｔｈ ｶﾅ", "full width カナ"),
        ("cafe\u0301", "café"),
        ("x\x00y\ufeffz", "xyz"),
        ("a\u00a0b\u2028c", "a b c"),
        ("&rsquo;x &amp;amp; y", "'x & y"),
        ("<b>&eacute;</b> &amp;lt;", "<b>é</b> <"),
        ("rock &#38;amp; roll", "rock & roll"),
        ("AT&T &copy; 5", "at&t © 5"),
        ("", ""),
    ],
)
def test_texts_are_mended_as_the_published_code_does(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_words_have_their_published_numbers(words: BytePairs) -> None:
    assert words.size == 49_408
    assert words.ids("a photo of a dog") == [START, 320, 1125, 539, 320, 1929, END]


def test_what_looks_like_a_mark_is_text(words: BytePairs) -> None:
    found = words.ids("<|endoftext|> <|startoftext|>")

    assert START not in found[1:-1]
    assert END not in found[1:-1]


def test_any_text_has_tokens_and_other_texts_have_others(words: BytePairs) -> None:
    texts = ["", "猫", "😀", "ß", "１", "a.b", "a b", "x" * 300, "\u202e", "don't"]

    found = [words.ids(clean(text)) for text in texts]

    assert found[0] == [START, END]
    assert len({tuple(ids) for ids in found}) == len(texts)


def test_without_merges_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"merges.txt, the merges of CLIP's tokens, cannot be"):
        BytePairs(tmp_path)


@pytest.mark.parametrize(
    "lines", ["a b c", "a", "abc d", "\udcff b"], ids=["three", "one", "unknown", "bytes"]
)
def test_a_damaged_list_of_merges_is_named(tmp_path: Path, lines: str) -> None:
    (tmp_path / MERGES).write_bytes(b"#version\n" + lines.encode("utf-8", "surrogateescape"))

    with pytest.raises(WeightsError, match=r"^[^\n]*merges.txt[^\n]*$"):
        BytePairs(tmp_path)
