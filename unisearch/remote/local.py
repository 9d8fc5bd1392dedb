"""LIBRARY/server.sock: commands of the same user ask a running server, and load no network.

One line of JSON each way. The server answers what the command would have found itself, or nothing:
then the command looks itself, and tells its own errors.
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unisearch.engine.answer import Answer, AskedTerm
from unisearch.engine.terms import Term
from unisearch.records import Hit
from unisearch.sockets import socket_path

if TYPE_CHECKING:
    from unisearch.config import Settings

SOCKET_FILE = "server.sock"
#: A question is words and names; an answer has as many hits as were asked for.
MOST_QUESTION_BYTES = 1 << 20
#: So long until the server takes the question, and until it has read and answered it.
CONNECT_S, ANSWER_S = 1.0, 120.0
#: Settings that change no answer.
_FREE = {"library", "server", "watch", "index", "previews", "log_level"}


def fingerprint(settings: Settings) -> dict[str, Any]:
    """What must agree on both sides for the same question to have the same answer."""
    return {
        "version": version("unisearch"),
        "settings": settings.model_dump(mode="json", exclude=_FREE),
    }


def ask(settings: Settings, terms: Sequence[Term], frame: Mapping[str, Any]) -> Answer | None:
    """A running server's answer; None where there is none, or it would not answer the same.

    terms: words, files and items; frame: the other arguments of Engine.ask
    """
    question = fingerprint(settings) | {"terms": [*map(term_json, terms)], "frame": dict(frame)}
    line = json.dumps(question, default=str).encode("utf-8", "surrogatepass") + b"\n"
    if len(line) > MOST_QUESTION_BYTES:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(CONNECT_S)
            with socket_path(settings.library, SOCKET_FILE) as path:
                connection.connect(path)
            connection.settimeout(ANSWER_S)
            connection.sendall(line)
            told = b"".join(iter(partial(connection.recv, 1 << 16), b""))
        answer = json.loads(told)["answer"]
        return None if answer is None else answer_of(answer, terms)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def term_json(term: Term) -> dict[str, Any]:
    """A term of the command line; files by their whole path."""
    match term.value:
        case str():
            said: dict[str, Any] = {"text": term.value}
        case Path():
            said = {"path": base64.b64encode(os.fsencode(term.value.absolute())).decode()}
        case int():
            said = {"item": term.value}
        case _:
            raise TypeError(type(term.value))
    return said | {"weight": term.weight}


def term_of(said: Mapping[str, Any]) -> Term:
    """The term that term_json told."""
    if "path" in said:
        return Term(Path(os.fsdecode(base64.b64decode(said["path"]))), said["weight"])
    return Term(said["text"] if "text" in said else int(said["item"]), said["weight"])


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer, all digits kept."""
    hits = [asdict(hit) | {"path": base64.b64encode(hit.path).decode()} for hit in answer.hits]
    return {
        "query": [asdict(term) for term in answer.query], "hits": hits,
        "no_match": answer.no_match, "took_ms": answer.took_ms, **answer.turned_json(),
    }  # fmt: skip


def answer_of(said: Mapping[str, Any], terms: Sequence[Term]) -> Answer:
    """The answer that answer_json told; terms as they were given here."""
    asked = zip(said["query"], terms, strict=True)
    return Answer(
        query=[AskedTerm(**{**told, "term": term.shown}) for told, term in asked],
        hits=[Hit(**{**hit, "path": base64.b64decode(hit["path"])}) for hit in said["hits"]],
        no_match=said["no_match"],
        took_ms=said["took_ms"],
        factors=said["factors"],
        approximate=said["approximate"],
    )


def is_stale(path: str) -> bool:
    """Whether nobody listens there: one that is too busy to be reached at once does listen."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_S)
        try:
            probe.connect(path)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            return True
    return False
