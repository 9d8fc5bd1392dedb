"""A text longer than a network reads at once is encoded whole, in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unisearch.spaces.towers.pieces import cut, encode_in_pieces, mean_of_pieces


def short(text: str) -> bool:
    return len(text) <= 10


def lengths(texts: Sequence[str]) -> torch.Tensor:
    """One row for each text, by how many characters it has."""
    return torch.tensor([[float(len(text)), 3.0] for text in texts])


def test_what_fits_stays_as_it_is() -> None:
    assert cut(" a  dog ", short) == [" a  dog "]
    assert cut("", short) == [""]


def test_a_long_text_is_cut_between_words() -> None:
    assert cut("one two three four five", short) == ["one two", "three", "four five"]


def test_a_word_that_is_too_long_is_cut_too() -> None:
    assert cut("a" * 25, short) == ["a" * 6, "a" * 6, "a" * 6, "a" * 7]


@given(st.text(max_size=200))
def test_no_character_is_lost_and_every_piece_fits(text: str) -> None:
    pieces = cut(text, short)

    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(short(piece) for piece in pieces)


def test_a_long_text_takes_no_time_that_grows_with_its_square() -> None:
    asked = []

    def fits(text: str) -> bool:
        asked.append(len(text))
        return len(text) <= 100

    pieces = cut("word " * 20_000, fits)

    assert len(pieces) >= 1_000
    assert sum(asked) < 100_000 * 13


def test_rows_of_pieces_are_averaged_by_their_direction() -> None:
    rows = torch.tensor([[2.0, 0.0], [0.0, 5.0], [0.0, 1.0]])

    means = mean_of_pieces(rows, [2, 1])

    assert means.numpy() == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0, 1]]), abs=1e-6)


def test_many_texts_of_many_pieces_come_back_in_order() -> None:
    texts = ["dog " * 2_000, "cat", "a red chair"]

    together = encode_in_pieces(texts, short, lengths)
    alone = torch.cat([encode_in_pieces([text], short, lengths) for text in texts])

    assert together.shape == (3, 2)
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together.norm(dim=1), torch.ones(3))
