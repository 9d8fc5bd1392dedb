"""Texts longer than a tower's context: encoded in pieces whose unit rows are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn.functional import normalize

#: Pieces in one pass: a single text may have thousands.
AT_ONCE = 256


def cut(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in pieces that fit, all of it and in order; itself when it fits.

    Halved between two words, as often as needed, so that pieces are about equally long; within a
    word only where that alone is too long.
    """
    if fits(text) or len(text) < 2:
        return [text]
    text = text.strip()
    middle = len(text) // 2
    spaces = (place for place, char in enumerate(text) if char.isspace())
    at = min(spaces, key=lambda place: abs(place - middle), default=middle)
    return cut(text[:at].rstrip(), fits) + cut(text[at:].lstrip(), fits) if text else [text]


def encode_in_pieces(
    texts: Sequence[str],
    fits: Callable[[str], bool],
    encode: Callable[[Sequence[str]], torch.Tensor],
) -> torch.Tensor:
    """float32 (n, dim) unit rows, one for each text, however long it is.

    fits: whether the network reads a text at once, with all that its tokenizer adds
    encode: rows of texts that fit (n, dim), of any length
    """
    pieces = [cut(text, fits) for text in texts]
    flat = [piece for parts in pieces for piece in parts]
    rows = [encode(flat[start : start + AT_ONCE]) for start in range(0, len(flat), AT_ONCE)]
    return mean_of_pieces(torch.cat(rows), [len(parts) for parts in pieces])


def mean_of_pieces(rows: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """float32 (len(counts), dim): the mean direction of each run of so many rows, unit rows.

    rows: (sum(counts), dim), of any length
    """
    units = normalize(rows.float(), dim=-1)
    means = torch.stack([part.mean(dim=0) for part in torch.split(units, list(counts))])
    return normalize(means, dim=-1)
