"""One file from a server, resumed where it stopped: the only code that connects to the outside.

urllib, of the standard library: it resumes, is tested against a local server, and is not switched
off by HF_HUB_OFFLINE, which huggingface_hub reads once for the whole process.
"""

from __future__ import annotations

import email.message
import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from unisearch.errors import WeightsError, refused
from unisearch.models.find import sha256

logger = logging.getLogger(__name__)

#: (bytes that are here, bytes in all or None)
Tell = Callable[[int, int | None], object]

TIMEOUT_S = 30.0
#: A transfer that breaks off is taken up again so often, with these pauses.
PAUSES_S = (0.5, 2.0, 5.0, 10.0)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Fetched:
    """A file that is here now.

    identity: of this version of the file on the server; empty when it tells none
    commit: of the repository, when the server tells
    """

    url: str
    size: int
    sha256: str
    identity: str
    commit: str | None


class NotThere(WeightsError):
    """The server has no such file."""


@dataclass
class _Remote:
    """What the server says of a file; headers of a redirection count as those of the end."""

    url: str
    body: IO[bytes]
    status: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return (self.headers.get("x-linked-etag") or self.headers.get("etag") or "").strip()

    @property
    def digest(self) -> str | None:
        """The sha256 of the whole file, where the hub gives it."""
        tag = self.headers.get("x-linked-etag", "").removeprefix("W/").strip('" ')
        hexadecimal = len(tag) == 64 and set(tag.lower()) <= set("0123456789abcdef")
        return tag.lower() if hexadecimal else None

    @property
    def size(self) -> int | None:
        """Of the whole file in bytes, None when it is not said."""
        said = self.headers.get("x-linked-size")
        if said is None and self.status in (206, 416):
            said = self.headers.get("content-range", "").rpartition("/")[2]
        if said is None and self.status == 200:
            said = self.headers.get("content-length")
        return int(said) if said is not None and said.isdecimal() else None


def fetch(url: str, target: Path, tell: Tell) -> Fetched:
    """The file of that address as `target`; what an earlier call has brought is not brought again.

    Until it is whole it is called NAME.part, beside a NAME.json that says of which version it is.
    Raises NotThere, and WeightsError when the server cannot be reached, breaks off for good, or
    sends something else than it announced; only then what came is dropped.
    """
    part, notes = _beside(target, ".part"), _beside(target, ".json")
    for pause_s in (*PAUSES_S, None):
        before = _size(part)
        try:
            return _attempt(url, target, part, notes, tell)
        except _BrokenOff as error:
            if _size(part) > before:
                logger.info("%s: %s; taking it up again", url, error)
            if pause_s is None:
                raise WeightsError(f"{url}: {error}; run it again to go on from there") from error
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def read_json(url: str) -> Any:
    """A small JSON document; raises NotThere, and WeightsError for anything else that fails."""
    try:
        with _opened(url, 0).body as body:
            return json.loads(body.read(1 << 26))
    except (ValueError, OSError, http.client.HTTPException, _BrokenOff) as error:
        raise WeightsError(f"{url}: no answer that can be read: {error}") from error


class _BrokenOff(Exception):
    """The transfer ended before the file did."""


def _attempt(url: str, target: Path, part: Path, notes: Path, tell: Tell) -> Fetched:
    """One request for what is not here yet, from the start when the server has another version."""
    known = _noted(notes)
    start = _size(part) if known else 0
    remote = _opened(url, start)
    with remote.body as body:
        same = bool(known) and known == remote.identity
        if target.is_file() and same:
            return _fetched(url, remote, target, sha256(target))
        if start and not (same and _goes_on(remote, start)):
            part.unlink(missing_ok=True)
            return _attempt(url, target, part, notes, tell)
        if remote.status != 416:
            notes.write_text(json.dumps({"identity": remote.identity}), "utf-8")
            _receive(body, part, start, remote.size, tell)
    return _finished(url, remote, target, part)


def _finished(url: str, remote: _Remote, target: Path, part: Path) -> Fetched:
    """The part as the whole, if it is that. Raises _BrokenOff, or WeightsError for another one."""
    size = _size(part)
    if remote.size is not None and size < remote.size:
        raise _BrokenOff(f"the transfer ended after {size:,} of {remote.size:,} bytes")
    digest = sha256(part)
    wrong = None
    if remote.size not in (None, size):
        wrong = f"{size:,} bytes came, {remote.size:,} were announced"
    elif remote.digest not in (None, digest):
        wrong = f"its sha256 is {digest[:12]}, the server says {str(remote.digest)[:12]}"
    if wrong:
        part.unlink()
        raise WeightsError(f"{url}: what came is damaged and was dropped: {wrong}; run it again")
    part.replace(target)
    return _fetched(url, remote, target, digest)


def _fetched(url: str, remote: _Remote, target: Path, digest: str) -> Fetched:
    commit = remote.headers.get("x-repo-commit")
    return Fetched(url, _size(target), digest, remote.identity, commit)


def _receive(body: IO[bytes], part: Path, start: int, total: int | None, tell: Tell) -> None:
    """What comes, behind the first `start` bytes of the part. Raises _BrokenOff."""
    try:
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            done = start
            tell(done, total)
            while chunk := _read(body):
                file.write(chunk)
                done += len(chunk)
                tell(done, total)
    except OSError as error:
        raise WeightsError(refused(part.parent, error)) from error


def _read(body: IO[bytes]) -> bytes:
    try:
        return body.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOff(f"the transfer broke off: {_reason(error)}") from error


def _opened(url: str, start: int) -> _Remote:
    """The answer for the file from byte `start` on; 416 is an answer too."""
    if not url.startswith(("http://", "https://")):
        raise WeightsError(f"{url}: is no address of a web server")
    request = urllib.request.Request(url, headers={"User-Agent": "unisearch"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    passed: dict[str, str] = {}
    opener = urllib.request.build_opener(_Redirects(passed))
    try:
        answer = opener.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:
            return _Remote(url, error, 416, _said(error.headers, passed))
        with error:
            raise _refusal(url, error.code, error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        if start or isinstance(error, http.client.HTTPException):
            raise _BrokenOff(f"cannot be reached: {_reason(error)}") from error
        raise WeightsError(
            f"{url}: cannot be reached: {_reason(error)}; without a connection:"
            " `unisearch models import`"
        ) from error
    return _Remote(url, answer, answer.status, _said(answer.headers, passed))


def _refusal(url: str, code: int, reason: str) -> WeightsError:
    if code == 404:
        return NotThere(f"{url}: is not there (404); has its publisher moved it?")
    if code in (401, 403):
        return WeightsError(
            f"{url}: may not be read without a login ({code}): fetch it in a browser, then"
            " `unisearch models import`"
        )
    return WeightsError(f"{url}: the server answered {code} {reason}; try again later")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to web servers, and keeps what the hub says of a file on the way."""

    def __init__(self, passed: dict[str, str]) -> None:
        self._passed = passed

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        said = ("x-linked-etag", "x-linked-size", "x-repo-commit")
        self._passed.update({name: headers[name] for name in said if headers[name]})
        if req.full_url.startswith("https://") and not newurl.startswith("https://"):
            raise WeightsError(f"{req.full_url}: leads to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _said(headers: email.message.Message, passed: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()} | dict(passed)


def _goes_on(remote: _Remote, start: int) -> bool:
    """Whether what comes belongs behind the first `start` bytes; or they are all there are."""
    if remote.status == 416:
        return remote.size == start
    return remote.headers.get("content-range", "").startswith(f"bytes {start}-")


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    said = inner.strerror if isinstance(inner, OSError) and inner.strerror else inner
    return " ".join(str(said).split()) or type(error).__name__


def _beside(target: Path, end: str) -> Path:
    return target.with_name(target.name + end)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _noted(notes: Path) -> str:
    """The identity of what the part is of; empty when that is not known."""
    try:
        return str(json.loads(notes.read_text("utf-8"))["identity"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""
