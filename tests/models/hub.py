"""A server on this machine that looks like the hub to a client, and fails as it is told to."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COMMIT = "c0ffee" + "0" * 34
#: What the hub keeps as large files: it sends them from another address and tells their sha256.
LARGE = (".pt", ".pth", ".bin", ".safetensors")


@dataclass
class Hub:
    """Use as a context manager.

    files: content by repository and path, 'openai/clip/config.json', 'datasets/A/B/c.pt'
    listing: whether it tells which files a repository has; a mirror may not
    ranges: whether a part of a file can be asked for
    status: an answer to give instead, by the end of the path
    break_after: bytes after which the connection is closed, once for each number
    hold_after: bytes after which nothing comes any more, until `go`
    lies: a sha256 to tell instead of the true one
    asked: (path, range header) of each request
    """

    files: dict[str, bytes] = field(default_factory=dict)
    listing: bool = True
    ranges: bool = True
    status: dict[str, int] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    hold_after: int | None = None
    lies: str | None = None
    version: str = "1"
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)

    def put(self, repository: str, folder: Path) -> None:
        """All files of a folder, as a repository."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.files[f"{repository}/{path.relative_to(folder)}"] = path.read_bytes()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def sent(self, end: str) -> list[str | None]:
        """The range headers of all requests for the content of a file."""
        return [asked for path, asked in self.asked if path.endswith(end) and "/api/" not in path]

    def __enter__(self) -> Self:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub, asked = self.hub, self.headers["Range"]
        hub.asked.append((self.path, asked))
        for end, status in hub.status.items():
            if self.path.endswith(end):
                self.send_error(status)
                return
        if listed := re.fullmatch(r"/api/(models|datasets)/(.+)/revision/main", self.path):
            kind, repository = listed.groups()
            self._list(repository if kind == "models" else f"datasets/{repository}")
        elif found := re.fullmatch(r"/(cdn/)?(.+?)(?:/resolve/[^/]+)?/([^/].*)", self.path):
            self._answer(self.path, found[1] is not None)

    def _list(self, repository: str) -> None:
        start = repository + "/"
        names = [name.removeprefix(start) for name in self.hub.files if name.startswith(start)]
        if not names or not self.hub.listing:
            self.send_error(404)
            return
        said = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
        self._send(200, json.dumps(said).encode(), {})

    def _answer(self, path: str, large: bool) -> None:
        hub = self.hub
        name = re.sub(r"/resolve/[^/]+/", "/", path.removeprefix("/cdn")).lstrip("/")
        content = hub.files.get(name)
        if content is None:
            self.send_error(404)
            return
        digest = hub.lies or hashlib.sha256(content).hexdigest()
        if name.endswith(LARGE) and not large:
            self.send_response(302)
            self.send_header("Location", f"/cdn{path}")
            self.send_header("X-Linked-Etag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        headers = {"ETag": f'"{len(content)}-{hub.version}"', "X-Repo-Commit": COMMIT}
        self._send_part(content, headers)

    def _send_part(self, content: bytes, headers: dict[str, str]) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if not wanted or not self.hub.ranges:
            self._send(200, content, headers)
            return
        start = int(wanted[1])
        if start >= len(content):
            self._send(416, b"", headers | {"Content-Range": f"bytes */{len(content)}"})
            return
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206, content[start:], headers | {"Content-Range": span})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        hub = self.hub
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if hub.break_after and len(content) > hub.break_after[0]:
            self.wfile.write(content[: hub.break_after.pop(0)])
            self.close_connection = True
            return
        if hub.hold_after is not None and len(content) > hub.hold_after:
            self.wfile.write(content[: hub.hold_after])
            self.wfile.flush()
            hub.held.set()
            hub.go.wait(240)
            self.close_connection = True
            return
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: tests look at `asked`."""
