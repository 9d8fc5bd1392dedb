"""What a server says, as the objects and the errors of an engine in process."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from unisearch.engine.answer import Answer, AskedTerm
from unisearch.errors import (
    FailureKind,
    LibraryError,
    ServerError,
    UnisearchError,
    Unreadable,
    UsageError,
)
from unisearch.records import Hit

if TYPE_CHECKING:
    import httpx

#: See errors.numbered.
_NUMBERED = re.compile(r"questions\.(\d{1,3}): (.*)", re.DOTALL)
_UNREADABLE = re.compile(rf"the upload: ({'|'.join(get_args(FailureKind))}): (.*)", re.DOTALL)


def answer_of(pages: Sequence[Mapping[str, Any]], shown: Sequence[str]) -> Answer:
    """The answer that these pages make. shown: how the terms read here"""
    hits = [hit_of(row) for page in pages for row in page["hits"]]
    took: dict[str, float] = {}
    for page in pages:
        for name, took_ms in page["took_ms"].items():
            took[name] = took.get(name, 0.0) + took_ms
    query = [
        AskedTerm(term["modality"], label, term["weight"], term["space"])
        for term, label in zip(pages[0]["query"], shown, strict=True)
    ]
    return Answer(
        query,
        hits,
        no_match=all(hit.weak for hit in hits),
        took_ms=took,
        factors=pages[0].get("factors"),
        approximate=pages[0].get("approximate", ()),
    )


def hit_of(row: Mapping[str, Any]) -> Hit:
    """One hit. `segment` is 0: segments have no meaning outside of the library."""
    exact = row.get("path_b64")
    part = row["segment"] or {"start_s": None, "end_s": None, "text": ""}
    return Hit(
        rank=row["rank"],
        item=row["item"],
        path=base64.b64decode(exact) if exact else row["path"].encode(),
        modality=row["modality"],
        score=row["score"],
        similarity=row["similarity"],
        weak=row["weak"],
        expected_by_chance=row["expected_by_chance"],
        matched=row["matched"],
        copies=row["copies"],
        segment=0,
        start_s=part["start_s"],
        end_s=part["end_s"],
        text=part["text"],
        space=row["space"],
    )


def json_of(response: httpx.Response, files: Sequence[str] = ()) -> Any:
    """The JSON of an answer that went well. files: how the uploads read, for errors

    Raises what the problem stands for.
    """
    check(response, files)
    try:
        return response.json()
    except ValueError:
        raise ServerError(f"{place(response)}: is no server of unisearch") from None


def check(response: httpx.Response, files: Sequence[str] = ()) -> None:
    """Raise what the problem stands for, if the answer is one."""
    if response.status_code < 300:
        return
    detail = detail_of(response)
    about = _NUMBERED.fullmatch(detail)
    try:
        _raise(response, about[2] if about else detail, files)
    except UnisearchError as error:
        error.question = int(about[1]) if about else None
        raise


def _raise(response: httpx.Response, detail: str, files: Sequence[str]) -> NoReturn:
    told = _UNREADABLE.fullmatch(detail)
    if told:
        kind: Any = told[1]
        raise Unreadable(os.fsencode(files[0] if len(files) == 1 else "a file"), kind, told[2])
    match response.status_code:
        case 400 | 422:
            raise UsageError(detail)
        case 401:
            raise ServerError(f"{place(response)}: {detail}; give connect() the server's token")
        case 404 | 409 | 410 | 415 | 416:
            raise UnisearchError(detail)
        case 503:
            raise LibraryError(detail)
        case _:
            raise ServerError(f"{place(response)}: {detail}")


def detail_of(response: httpx.Response) -> str:
    """What went wrong, in one line."""
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            return " ".join(str(response.json()["detail"]).split())
        except (ValueError, LookupError, TypeError):
            pass
    return f"answers with status {response.status_code}; is it a server of unisearch?"


def place(response: httpx.Response) -> str:
    """The server that was asked."""
    url = response.request.url
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
