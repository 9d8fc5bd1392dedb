"""What the methods of a remote engine do, told once for the one that blocks and the one that waits.

A flow yields requests and is sent their answers; who drives it decides how they are made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from unisearch.engine.answer import Answer
from unisearch.engine.checked import check_count, check_modalities, check_score
from unisearch.engine.questions import Question
from unisearch.engine.questions import each as each_of
from unisearch.engine.terms import Term
from unisearch.errors import UsageError
from unisearch.factors import Factors, factors_of
from unisearch.remote.question import question_of
from unisearch.remote.reply import answer_of, check, json_of

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
#: What the server gives in one page, and where its last page begins (see its OpenAPI document).
PAGE, LAST = 200, 1_000


@dataclass(frozen=True)
class Call:
    """A request. options: of httpx.Client.request"""

    path: str
    method: Literal["GET", "POST"] = "GET"
    options: Mapping[str, Any] = field(default_factory=dict)


Flow = Generator[Call, "httpx.Response", T]


def ask(
    terms: Sequence[Any],
    *,
    minus: Sequence[Any] = (),
    into: Sequence[str] | str | None = None,
    k: int | None = None,
    where: str | None = None,
    each: bool = False,
    root: int | None = None,
    min_score: float | None = None,
    names: bool = True,
    factors: str | Factors | None = None,
) -> Flow[Answer]:
    """The answer to a question; more hits than a page has are fetched page by page."""
    question = question_of(terms, minus)
    wanted = None if k is None else check_count(k)
    most = PAGE if each else LAST + PAGE
    if wanted is not None and wanted > most:
        raise UsageError(f"k is {wanted}; a server gives at most {most}{' of each' * each}")
    told = frame(into, where, each, min_score, names, factors, root)
    files = [
        label for term, label in zip(question.terms, question.shown, strict=True) if "file" in term
    ]
    pages: list[Any] = []
    offset = 0
    while True:
        size = {} if wanted is None else {"k": min(PAGE, wanted - offset)}
        with question.request({**told, **size, "offset": offset}) as (path, options):
            response = yield Call(path, "POST", options)
        pages.append(json_of(response, files))
        following = pages[-1]["next_offset"]
        if wanted is None or following is None or following >= wanted:
            return answer_of(pages, question.shown)
        offset = following


def frame(
    into: Sequence[str] | str | None,
    where: str | None,
    each: bool,
    min_score: float | None,
    names: bool,
    factors: str | Factors | None,
    root: int | None = None,
) -> dict[str, Any]:
    """What a question says beside its terms and its page, as the server takes it."""
    said = {
        "into": None if into is None else list(check_modalities(into)),
        "where": where,
        "each": each,
        "root": root,
        "min_score": check_score(min_score),
        "names": names,
        "factors": None if factors is None else dict(factors_of(factors)),
    }
    return {name: value for name, value in said.items() if value is not None}


def ask_many(questions: Sequence[Question]) -> Flow[list[Answer]]:
    """The answers to several questions, of one state of the library. Files are none of them."""
    asked = each_of(body_of, questions)
    bodies = [body for body, _ in asked]
    pages = json_of((yield Call("/v1/search/batch", "POST", {"json": {"questions": bodies}})))
    return [
        answer_of([page], shown) for page, (_, shown) in zip(pages["answers"], asked, strict=True)
    ]


def body_of(question: Question) -> tuple[dict[str, Any], Sequence[str]]:
    """A question as the server takes it, and how its terms read. Raises UsageError for files."""
    one = question
    terms = question_of(one.terms, ())
    if terms.uploads:
        raise UsageError("several questions at a time hold no files: ask each alone")
    if one.under is not None:
        raise UsageError("several questions at a time name no folder: ask each alone, by its root")
    told = frame(one.into, one.where, one.each, one.min_score, one.names, one.factors)
    page = {} if one.k is None else {"k": check_count(one.k)}
    return {"terms": terms.terms, **told, **page}, terms.shown


def repelling(minus: Any) -> Sequence[Any]:
    """The terms that repel: a single one may stand without a list."""
    from pathlib import Path

    return [minus] if isinstance(minus, str | bytes | Path | Term | int) else minus


def similar(
    item: int, into: Sequence[str] | str | None, k: int, factors: str | Factors | None
) -> Flow[Answer]:
    """What is like an item of the library, without itself and its copies."""
    return (yield from ask([item], into=into, k=k, factors=factors))


def status() -> Flow[dict[str, Any]]:
    """How the server and its library are."""
    return json_of((yield Call("/v1/status")))  # type: ignore[no-any-return]


def item(number: int) -> Flow[dict[str, Any]]:
    """What is known of an item."""
    return json_of((yield Call(f"/v1/items/{int(number)}")))  # type: ignore[no-any-return]


def content(number: int) -> Flow[bytes]:
    """The file of an item."""
    response = yield Call(f"/v1/items/{int(number)}/content")
    check(response)
    return response.content


def preview(number: int, kind: str) -> Flow[bytes | None]:
    """A preview of an item, None when there is none (yet)."""
    response = yield Call(f"/v1/items/{int(number)}/preview", options={"params": {"kind": kind}})
    if response.status_code == 404:
        return None
    check(response)
    return response.content
