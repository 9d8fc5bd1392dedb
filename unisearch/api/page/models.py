"""Models for the viewer: read in workers that may be killed, and given as plain triangles."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from unisearch.api.content import open_below
from unisearch.api.items import ItemId
from unisearch.api.service import Service, of_writer
from unisearch.engine.shape import as_glb
from unisearch.errors import UnisearchError

#: Where the viewer gets a model, with the item's id before it.
ROUTE = "/models/{item}.glb"


class Models:
    """Reads models; its worker is started with the first one. close() ends it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._reader: Any = None
        self._last: tuple[Any, bytes] = (None, b"")  # a viewer that was announced asks for it

    def glb(self, item: int) -> bytes:
        """The item as binary glTF. Raises HTTPException 404, 410, and 422 for what is no model."""
        row = self._service.item(item)
        if row.modality != "3d":
            raise HTTPException(404, f"item {item}: is no model")
        os.close(open_below(row.root_path, row.path))
        known, content = self._last
        if known == (item, row.stat):
            return content
        options = self._service.engine.rooms.read_options
        try:
            [made] = self._read().read(Path(os.fsdecode(row.path)), options)
        except UnisearchError as error:
            raise HTTPException(422, str(error)) from error
        content = bytes(made)
        self._last = (item, row.stat), content
        return content

    def _read(self) -> Any:
        with self._lock:
            if self._reader is None:
                settings = self._service.settings
                few = settings.index.model_copy(update={"workers": 1})
                settings = settings.model_copy(update={"index": few})
                self._reader = of_writer("reader")(settings, as_glb)
            return self._reader

    def close(self) -> None:
        """End the worker."""
        if self._reader is not None:
            self._reader.close()


def add_models(app: FastAPI, models: Models) -> None:
    """Answer with models."""

    @app.get(ROUTE)
    def glb(item: ItemId) -> Response:
        return Response(models.glb(item), media_type="model/gltf-binary")
