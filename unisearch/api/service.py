"""What all routes share: the library that is open, and the workers that read uploads."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from unisearch.api.events import Bus
from unisearch.api.gather import Gather, goes_along
from unisearch.api.jobs import Job, Jobs
from unisearch.api.local import LocalDoor
from unisearch.api.metrics import Metrics
from unisearch.api.saved import SavedSearches
from unisearch.catalog.rows import ItemRow, RootRow
from unisearch.config import Settings
from unisearch.engine import inspect, items
from unisearch.engine.answer import Answer
from unisearch.engine.encode import decode
from unisearch.engine.engine import Engine
from unisearch.engine.questions import Question
from unisearch.engine.terms import Term
from unisearch.errors import UnisearchError
from unisearch.records import ReadOptions
from unisearch.registry import Entry, load
from unisearch.wiring import open_rooms

logger = logging.getLogger(__name__)

#: Who writes and who reads in workers is named as a string: this door does not know the indexer.
WRITER = {
    "reader": Entry("indexer.reading:Reader"),
    **items.WRITER,
    "indexer": Entry("indexer:Indexer"),
    "metrics": Entry("indexer.metrics:WriterMetrics"),
}


def of_writer(name: str) -> Any:
    """A part of the indexer, loaded when it is needed."""
    return load("part of the writer", WRITER, name)


class Service:
    """One library that is served. Raises LibraryMissing when there is none; close() lets go."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.since = time.monotonic()
        self.metrics = Metrics()
        rooms = open_rooms(settings, stays=True)
        self.reader = of_writer("reader")(settings, decode)
        self.engine = Engine(rooms, read_file=self._read)
        self.gather = Gather(self.engine.ask_many)
        self.bus = Bus()
        self.jobs = Jobs(settings, rooms, of_writer("indexer"), self._tell)
        self.saved = SavedSearches(settings.library)
        self._whole = self.engine.reading(self.reader.read)  # for files of commands
        self.local = LocalDoor(settings, self._ask_here)
        self.ready = threading.Event()
        self._warming = threading.Thread(target=self._warm, name="warming", daemon=True)
        self._warming.start()

    def item(self, item: int) -> ItemRow:
        """The item of that id. Raises HTTPException 404."""
        row = items.find(self.engine.rooms, item)
        if row is None:
            raise HTTPException(404, items.NO_ITEM.format(item))
        return row

    def roots(self) -> list[RootRow]:
        """The indexed folders, by path."""
        return inspect.roots(self.engine.rooms)

    def root(self, root: int) -> RootRow:
        """The folder of that id. Raises HTTPException 404."""
        row = items.find_root(self.engine.rooms, root)
        if row is None:
            raise HTTPException(404, items.NO_ROOT.format(root))
        return row

    def _read(self, path: Path, options: ReadOptions, *arguments: Any) -> Iterator[Any]:
        """An upload, read in a worker; of a long sound or video only as much as is allowed."""
        hours = min(options.max_audio_hours, self.settings.server.upload_seconds / 3600)
        parts: Iterator[Any] = self.reader.read(
            path, replace(options, max_audio_hours=hours), *arguments
        )
        return parts

    def _ask_here(self, question: Question) -> Answer:
        """The answer to a command of this user: of its files nothing is left out."""
        if goes_along(question):
            return self.gather.ask(question)
        [answer] = self._whole.ask_many([question])
        return answer

    def _tell(self, job: Job) -> None:
        self.bus.tell("job", f"job {job.number}", job.to_json())

    def _warm(self) -> None:
        """Load the network and open the indexes, so that the first question waits for neither."""
        try:
            self.engine.ask([Term("warming up")])
        except UnisearchError as error:
            logger.error("%s", error)
        else:
            self.ready.set()

    def stop(self) -> None:
        """End what would go on for as long as its client listens."""
        self.bus.close()

    def close(self) -> None:
        """Let go of the workers and the library; a job that runs ends as after Ctrl-C."""
        self.stop()
        self.local.close()  # while there is somebody to answer what commands ask
        self.jobs.close()
        self._warming.join()
        self.gather.close()
        self.reader.close()
        self.engine.close()


async def service_of(request: Request) -> Service:
    """The service of the app that was asked; a coroutine, for functions take a thread each."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


Served = Annotated[Service, Depends(service_of)]
