"""A question as the server takes it: JSON, and files that go along."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unisearch.engine.terms import Term, Vector, existing, not_empty
from unisearch.errors import Unreadable, UsageError

_KIND = "application/octet-stream"


@dataclass(frozen=True)
class Upload:
    """A file that goes along. name: nothing of the user's but the suffix"""

    name: str
    content: Path | bytes


@dataclass(frozen=True)
class Question:
    """Terms as JSON, the files they name by their place, and how each reads for people."""

    terms: Sequence[Mapping[str, Any]]
    uploads: Sequence[Upload]
    shown: Sequence[str]

    @contextmanager
    def request(self, frame: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(path, options of httpx.Client.request); the files are open until the end of it.

        frame: what else the question says, such as k
        """
        asked = {"terms": self.terms, **frame}
        if not self.uploads:
            yield "/v1/search", {"json": asked}
            return
        with ExitStack() as open_files:
            files = [("files", (one.name, opened(one, open_files), _KIND)) for one in self.uploads]
            yield "/v1/search/files", {"files": files, "data": {"question": json.dumps(asked)}}


def opened(upload: Upload, open_files: ExitStack) -> Any:
    """The content, or the open file. Raises Unreadable."""
    if isinstance(upload.content, bytes):
        return upload.content
    try:
        return open_files.enter_context(upload.content.open("rb"))
    except PermissionError:
        raise Unreadable(upload.content, "permission", "permission denied") from None
    except OSError as error:
        raise Unreadable(upload.content, "vanished", error.strerror or "cannot be read") from None


def question_of(values: Sequence[Any], minus: Sequence[Any]) -> Question:
    """The question of these terms; see `Engine.search` for what a term may be.

    Raises UsageError for what is no term.
    """
    terms: list[dict[str, Any]] = []
    uploads: list[Upload] = []
    shown: list[str] = []
    for value, sign in [*((one, 1) for one in values), *((one, -1) for one in minus)]:
        said, weight, label = term_json(value, len(uploads), uploads)
        terms.append(said | {"weight": -abs(weight) if sign < 0 else weight})
        shown.append(label)
    return Question(terms, uploads, shown)


def term_json(value: Any, place: int, uploads: list[Upload]) -> tuple[dict[str, Any], float, str]:
    """(the term without its weight, its weight, how it reads); a file is put to the uploads."""
    match value:
        case Term():
            said, _, label = term_json(value.value, place, uploads)
            return said, value.weight, label
        case str():
            return {"text": not_empty(value, value)}, 1.0, value
        case bool():
            raise UsageError(f"{value!r} is no term")
        case int():
            return {"item": value}, 1.0, f"item:{value}"
        case Vector():
            numbers = [float(number) for number in value.values]
            return {"vector": numbers, "modality": value.modality}, 1.0, Term(value).shown
    upload, label = upload_of(value)
    uploads.append(upload)
    return {"file": place}, 1.0, label


def upload_of(value: Any) -> tuple[Upload, str]:
    """The file that a path, a content, a picture, an array or a sample is sent as."""
    match value:
        case Path():
            path = existing(os.fspath(value))
            return Upload("query" + path.suffix.lower(), path), Term(path).shown
        case bytes() | bytearray():
            return Upload("query", bytes(value)), Term(bytes(value)).shown
    from unisearch.engine.values import term_of
    from unisearch.remote.uploads import file_of

    term = term_of(value)
    assert not isinstance(term.value, str | int | Path | bytes | Vector)
    return Upload(*file_of(term.value)), term.shown
