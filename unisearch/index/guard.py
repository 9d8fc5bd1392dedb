"""Rows are checked against their checksums before they become answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import display
from unisearch.index.rows import BLOCK_ROWS, Rows, is_sound
from unisearch.records import Block

logger = logging.getLogger(__name__)


class Guard:
    """Remembers which blocks of an epoch were found sound; each is read once per process."""

    def __init__(self, path: Path) -> None:
        """path: of the vectors, for the warning"""
        self._path = path
        self._sound: dict[int, Block] = {}
        self._damaged: dict[int, Block] = {}

    def damaged(
        self, rows: Rows, blocks: Sequence[Block], wanted: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The rows of damaged blocks among the blocks of these rows; one warning for each block.

        blocks: the checksums of all blocks, in order; wanted: row numbers
        """
        bad = []
        numbers = np.unique(wanted // BLOCK_ROWS).tolist()
        unread = (number for number in numbers if number not in self._sound)
        rows.fetch(range(number * BLOCK_ROWS, (number + 1) * BLOCK_ROWS) for number in unread)
        for number in numbers:
            if not self._is_sound(rows, blocks, number):
                start = number * BLOCK_ROWS
                bad.append(np.arange(start, min(start + BLOCK_ROWS, len(rows.keys))))
        return np.concatenate(bad) if bad else np.empty(0, np.int64)

    def _is_sound(self, rows: Rows, blocks: Sequence[Block], number: int) -> bool:
        block = blocks[number] if number < len(blocks) else Block(number, 0, b"")
        if self._sound.get(number) == block:
            return True
        if self._damaged.get(number) == block:
            return False
        if is_sound(rows, block):
            self._sound[number] = block
            return True
        self._damaged[number] = block
        logger.warning(
            "%s: rows %d to %d are damaged and left out of answers; run 'unisearch doctor'",
            display(self._path),
            number * BLOCK_ROWS,
            number * BLOCK_ROWS + max(block.rows, 1) - 1,
        )
        return False
