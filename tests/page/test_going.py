"""How the status page shows a run of the indexer while it goes on."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer import Progress
from indexer.handover import SOCKET_FILE, Status, encode_answer
from indexer.meter import Meter, run_facts
from tests.page.conftest import PICTURES
from tests.page.test_pages import grave
from unisearch.api.page.going import at, said
from unisearch.sockets import socket_path


def where(done: dict[str, int], doing: str = "", failed: int = 0) -> Progress:
    total = {"image": 1_200, "audio": 34, "other": 2} if done else {}
    return Progress(done, total, 7, failed, 10.0, b"/media/pictures/a very long name.png", doing)


class Writer(socketserver.ThreadingUnixStreamServer):
    """Says what its meter knows, as the process that writes to a library does."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        self.meter = Meter()
        super().__init__(path, Told)


class Told(socketserver.StreamRequestHandler):
    server: Writer

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(encode_answer(Status(self.server.meter.facts())))


@pytest.fixture
def writer(library: Path) -> Iterator[Writer]:
    """Nobody else writes to the library of these tests now."""
    (library / SOCKET_FILE).unlink(missing_ok=True)
    with socket_path(library, SOCKET_FILE) as path, Writer(path) as writer:
        threading.Thread(target=writer.serve_forever, args=(0.05,), daemon=True).start()
        yield writer
        writer.shutdown()
        (library / SOCKET_FILE).unlink()


@pytest.mark.parametrize("width", [1280, 375])
def test_the_status_page_follows_a_run_to_its_end(
    visit: Callable[..., Any], address: str, writer: Writer, width: int
) -> None:
    writer.meter.at(where({"image": 300, "audio": 9}, failed=3))
    page = visit(f"{address}/status", width=width, dark=width < 400)

    page.wait_for_selector("text=Indexing: 309 of 1,236 files, about 0:30 left.")
    rows = page.locator(".kinds li").all_inner_texts()
    bar = page.get_by_label("Files done").get_attribute("value")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"a-run-goes-on-{width}.png")
    assert [row.split() for row in rows] == [
        ["Pictures", "300", "of", "1,200"], ["Sounds", "9", "of", "34"], ["Others", "0", "of", "2"],
    ]  # fmt: skip
    assert bar == "309"
    assert "7 unchanged · 3 failed · /media/pictures" in page.locator(".now").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert grave(page) == []

    writer.meter.at(where({"image": 1_200, "audio": 34, "other": 2}))
    page.wait_for_selector("text=Indexing: 1,236 of 1,236 files")
    writer.meter.at(where({}, "building the index of image"))
    page.wait_for_selector("text=Now: building the index of image …")
    assert page.get_by_label("Files done").get_attribute("value") is None
    assert page.locator(".kinds li").count() == 0
    writer.meter.at(None)
    page.wait_for_selector("text=Nothing is being indexed.")
    assert not page.get_by_label("Files done").is_visible()


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (None, "Ready to answer. Nothing is being indexed."),
        (where({}), "Ready to answer. Looking for files …"),
        (where({"image": 0}), "Ready to answer. Indexing: 0 of 1,236 files."),
        (where({}, "drawing"), "Ready to answer. Now: drawing …"),
    ],
)
def test_a_run_is_one_line(run: Progress | None, line: str) -> None:
    assert said(True, run_facts(run) if run else None) == line
    assert said(False, None).startswith("Getting ready …")


def test_nothing_is_said_of_what_did_not_happen() -> None:
    run = run_facts(Progress({}, {}, 0, 0, 0.0, b""))

    assert (at(None), at(run), at({**run, "failed": 2})) == ("", "", "2 failed")
