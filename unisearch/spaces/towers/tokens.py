"""Vocabularies of published networks, from the tokenizer.json of their folders."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from unisearch.errors import WeightsError, display


class Tokens:
    """Texts to numbers, whole: neither cut nor filled up.

    before, after: numbers of the marks that stand before and after every text
    """

    def __init__(self, folder: Path, before: str | None, after: str) -> None:
        """before, after: the marks as the vocabulary writes them.

        Raises WeightsError when there is no vocabulary or it lacks a mark.
        """
        self._file = folder / "tokenizer.json"
        self.backend = _read(self._file)
        self.before = [] if before is None else [self.number(before)]
        self.after = [self.number(after)]

    def number(self, mark: str) -> int:
        """The number of a mark; raises WeightsError when the vocabulary lacks it."""
        number = self.backend.token_to_id(mark)
        if number is None:
            raise WeightsError(f"{display(self._file)} lacks '{mark}': it is of another model")
        return int(number)

    def of(self, text: str) -> list[int]:
        """The numbers of a text between its marks."""
        found = self.backend.encode(text, add_special_tokens=False).ids
        return [*self.before, *found, *self.after]


def _read(file: Path) -> Tokenizer:
    if not file.is_file():
        raise WeightsError(f"{display(file)} is not there: pull or import its model")
    try:
        backend = Tokenizer.from_file(str(file))
    except Exception as error:  # the package raises bare ones
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{display(file)} is no vocabulary: {reason}") from error
    backend.no_truncation()
    backend.no_padding()
    # A text about '<|endoftext|>' would otherwise end there.
    backend.encode_special_tokens = True
    return backend
