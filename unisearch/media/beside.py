"""The files beside a model: from its own folder, and nothing else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import trimesh

from unisearch.errors import Unreadable, display
from unisearch.media.files import read_bytes


class OwnFolder(trimesh.resolvers.FilePathResolver):
    """Gives a model the files beside it (materials, textures, buffers) and nothing else.

    A name that leads out of the model's folder, also through a symbolic link, is refused
    before anything is opened.
    """

    def __init__(self, source: Path, max_bytes: int) -> None:
        super().__init__(str(source))
        self.source = source
        self.file_name = "model"  # trimesh names parts after it, and a name may hold any bytes
        self.max_bytes = max_bytes
        self.failure: Unreadable | None = None  # of the system; trimesh goes on without the file

    def get(self, name: str) -> bytes:
        for candidate in dict.fromkeys((name, unquote(name), name.replace("\\", "/"))):
            path = self._inside(candidate)
            if path.is_file():
                return self._content(name, path)
        reason = f"'{display(name)[:100]}', which the model refers to, is missing"
        raise Unreadable(self.source, "corrupt", reason)

    def _content(self, name: str, path: Path) -> bytes:
        try:
            return read_bytes(path, self.max_bytes)
        except Unreadable as error:  # the failure belongs to the model, not to what lies beside it
            reason = f"'{name}' beside it: {error.reason}"
            refusal = Unreadable(self.source, error.kind, reason, transient=error.transient)
            self.failure = refusal if error.transient else self.failure
            raise refusal from error

    def _inside(self, name: str) -> Path:
        try:
            return Path(self.absolute(name))
        except ValueError:
            reason = f"refers to '{name}' outside its own folder: refused"
            raise Unreadable(self.source, "unsupported", reason) from None
