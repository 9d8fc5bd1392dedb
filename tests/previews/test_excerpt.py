from __future__ import annotations

import pytest

from unisearch.previews.excerpt import excerpt
from unisearch.previews.make import make
from unisearch.records import TextSample


def test_a_short_text_is_all_there() -> None:
    [preview] = make("text", TextSample("  Ein Löwe\nschläft.  "))

    assert preview.kind == "text"
    assert preview.data.decode("utf-8") == "Ein Löwe\nschläft."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three four", "one two…"),
        ("one two  three four", "one two…"),
        ("one twoandalittlemore", "one…"),
        ("onewordthatneverends", "onewordth…"),
        ("eins zwei", "eins zwei"),
        ("eins zwei.", "eins zwei."),
    ],
)
def test_a_long_text_ends_with_a_word(text: str, shown: str) -> None:
    assert excerpt(text, 10) == shown


def test_text_without_blanks_is_cut_between_characters() -> None:
    [preview] = make("text", TextSample("猫は眠る。" * 1_000))

    text = preview.data.decode("utf-8")
    assert len(text) == 1_000
    assert text.endswith("…")


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert make("text", TextSample("a\ud800b"))[0].data == b"a?b"
