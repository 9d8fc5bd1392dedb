"""What writers say to each other: a job one way, its progress and its end the other way.

One message is one line of JSON with the version of this protocol. Paths travel as base64 of their
bytes. Everything here is pure; the lines are carried by desk.py and ask.py.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from indexer.report import Failure, Progress, Report
from unisearch import errors
from unisearch.catalog.rows import Goal
from unisearch.errors import UnisearchError

VERSION = 1
SOCKET_FILE = "writer.sock"
#: The longest line that is taken from another process: a full command line of paths, in base64.
MAX_LINE_BYTES = 16 * 2**20

JobName = Literal[
    "index",
    "forget",
    "tag",
    "remove_root",
    "relocate",
    "status",
    "add_space",
    "drop_space",
    "build",
    "turn",
]
NAMES: tuple[JobName, ...] = get_args(JobName)

T = TypeVar("T")


class BadMessage(ValueError):
    """A line that is no message of this protocol."""


@dataclass(frozen=True)
class Job:
    """A change to the library, each of which may be done twice without harm; or a look at the
    writer ("status"), which the desk answers itself.

    paths: absolute and real; of `relocate` the old and the new folder
    retry: `index` reads files again that failed before
    thorough: `index` compares the content where file systems cannot tell what changed
    needs: `index`: the digest of the settings that decide what comes out
    now: `forget` also erases what was forgotten, then and before
    hinted: `index`: the places are not asked for, but where something may have changed
    space: of `add_space` its name, of `drop_space` and `turn` its name or id; goal: of `add_space`,
        see Goal; factors: of `turn`, as in ids
    """

    name: JobName
    paths: tuple[bytes, ...] = ()
    items: tuple[int, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    retry: bool = False
    needs: str = ""
    now: bool = False
    thorough: bool = False
    hinted: bool = False
    space: str = ""
    goal: Goal = "add"
    factors: str = ""


@dataclass(frozen=True)
class Alive:
    """The holder works; begun: on this job too."""

    begun: bool


@dataclass(frozen=True)
class Back:
    """The holder ends and gives the job back; report: what it did of it, for a run that began."""

    report: Report | None = None


@dataclass(frozen=True)
class Status:
    """What the holder does; facts: plain values, see Meter.facts."""

    facts: dict[str, Any]


#: What comes back: signs of life and progress, then one end. A number counts items or files.
Answer = Alive | Progress | Report | int | Back | Status | UnisearchError


def encode_job(job: Job) -> bytes:
    """The job as a line."""
    values = {**vars(job), "paths": [_text(path) for path in job.paths]}
    return _line({"job": values.pop("name"), **values})


def decode_job(line: bytes) -> Job:
    """The job of a line. Raises BadMessage."""
    said = _said(line)
    name = said.get("job")
    if name not in NAMES:
        raise BadMessage(f"unknown job {str(name)[:40]!r}")
    if unknown := said.keys() - _fields(Job) - {"job"}:  # never half of what was asked
        raise BadMessage(f"unknown wish {min(unknown)[:40]!r}")
    job = Job(
        name,
        tuple(_path(path) for path in _list(said, "paths", str)),
        tuple(_list(said, "items", int)),
        tuple(_list(said, "add", str)),
        tuple(_list(said, "remove", str)),
        _value(said, "retry", bool, False),
        _value(said, "needs", str, ""),
        _value(said, "now", bool, False),
        _value(said, "thorough", bool, False),
        _value(said, "hinted", bool, False),
        _value(said, "space", str, ""),
        _goal(said),
        _value(said, "factors", str, ""),
    )
    wanted = {"forget": 1, "remove_root": 1, "relocate": 2}.get(name, len(job.paths))
    if len(job.paths) != wanted or not all(path.startswith(b"/") for path in job.paths):
        raise BadMessage(f"'{name}' takes {wanted} absolute paths")
    return job


def encode_answer(answer: Answer) -> bytes:
    """The answer as a line."""
    match answer:
        case Alive(begun):
            return _line({"is": "alive", "begun": begun})
        case Progress():
            return _line({"is": "progress", **vars(answer), "path": _text(answer.path)})
        case Report():
            return _line({"is": "report", **_plain(answer)})
        case Back(report):
            return _line({"is": "back", "report": _plain(report) if report else None})
        case Status(facts):
            return _line({"is": "status", "facts": facts})
        case UnisearchError():
            facts = {name: value for name, value in vars(answer).items() if _is_plain(value)}
            kind = type(answer).__name__
            return _line({"is": "error", "kind": kind, "message": str(answer), "facts": facts})
        case _:
            return _line({"is": "count", "count": answer})


def decode_answer(line: bytes) -> Answer:
    """The answer of a line. Raises BadMessage."""
    said = _said(line)
    try:
        match said.pop("is", None):
            case "alive":
                return Alive(bool(said["begun"]))
            case "progress":
                return Progress(**{**_known(Progress, said), "path": _path(said["path"])})
            case "report":
                return _report(said)
            case "back":
                return Back(_report(said["report"]) if said["report"] else None)
            case "error":
                return _error(said["kind"], str(said["message"]), dict(said["facts"]))
            case "status":
                return Status(dict(said["facts"]))
            case "count":
                return int(said["count"])
            case kind:
                raise BadMessage(f"unknown answer {str(kind)[:40]!r}")
    except BadMessage:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not as an answer should be: {error}") from None


def _error(kind: str, message: str, facts: dict[str, Any]) -> UnisearchError:
    """The same error as there: its class, its text and its facts."""
    found = getattr(errors, kind, None)
    if not (isinstance(found, type) and issubclass(found, UnisearchError)):
        return UnisearchError(message)
    error = found.__new__(found)
    error.args = (message,)
    vars(error).update(facts)
    return error


def _plain(report: Report) -> dict[str, Any]:
    failed = [[_text(one.path), one.kind, one.message, one.known] for one in report.failed]
    truncated = [[_text(path), at_s] for path, at_s in report.truncated]
    spared = [_text(path) for path in report.spared]
    return {**vars(report), "failed": failed, "truncated": truncated, "spared": spared}


def _report(said: dict[str, Any]) -> Report:
    failed = [Failure(_path(path), *rest) for path, *rest in said["failed"]]
    truncated = [(_path(path), float(at_s)) for path, at_s in said["truncated"]]
    spared = [_path(path) for path in said.get("spared", ())]  # an older holder spares nothing
    lists = {"failed": failed, "truncated": truncated, "spared": spared}
    return Report(**{**_known(Report, said), **lists})


def _known(kind: type, said: dict[str, Any]) -> dict[str, Any]:
    """What this version knows of it: a newer holder may tell more."""
    return {name: said[name] for name in said.keys() & _fields(kind)}


def _fields(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def _line(values: dict[str, Any]) -> bytes:
    # Escaped to ASCII: no text in it can end the line, and text that is no UTF-8 passes too.
    return json.dumps({"v": VERSION, **values}).encode("ascii") + b"\n"


def _said(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise BadMessage("not a line of JSON") from None
    if not isinstance(said, dict) or said.pop("v", None) != VERSION:
        raise BadMessage(f"not version {VERSION} of the protocol")
    return said


def _value(said: dict[str, Any], name: str, kind: type[T], default: T) -> T:
    value = said.get(name, default)
    if type(value) is not kind:
        raise BadMessage(f"'{name}' must be {kind.__name__}")
    return value


def _goal(said: dict[str, Any]) -> Goal:
    goal = _value(said, "goal", str, "add")
    for known in get_args(Goal):
        if goal == known:
            found: Goal = known
            return found
    raise BadMessage(f"unknown goal {goal[:40]!r}")


def _list(said: dict[str, Any], name: str, kind: type[T]) -> list[T]:
    values = _value(said, name, list, [])
    if not all(type(value) is kind for value in values):
        raise BadMessage(f"'{name}' must be a list of {kind.__name__}")
    return values


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool, list, tuple))


def _text(path: bytes) -> str:
    return base64.b64encode(path).decode("ascii")


def _path(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadMessage("a path is no base64") from None
