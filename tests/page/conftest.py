"""A real server and a real browser: Debian's chromium."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from unisearch.config import Settings
from unisearch.world.library import KINDS, make_library

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
#: Set where no test of a browser may be left out.
MUST_RUN = os.environ.get("UNISEARCH_BROWSER") == "1"
PICTURES = Path(__file__).resolve().parent.parent.parent / "build" / "screenshots"
#: So long a busy machine may take for anything.
WAIT_MS = 120_000
#: What a visitor does from now on is heard: the page speaks with the server, or is a plain form.
HEARS = "window.did_handshake || document.querySelector('form[method=post]')"
CONCEPTS = ("dog", "car", "piano")


TOKEN = "a token of this test"


@contextmanager
def serving(
    library: Path,
    folder: Path,
    *arguments: str,
    end: int = signal.SIGINT,
    program: Sequence[str] = ("-m", "unisearch"),
    **settings: str,
) -> Iterator[str]:
    """The address of a server of that library; it ends with exit code 0 at the signal `end`."""
    environment = {
        **os.environ, "HOME": os.fspath(folder),
        **{f"UNISEARCH_{name.upper()}": value for name, value in settings.items()},
    }  # fmt: skip
    log = folder / "server.log"
    with log.open("ab") as err:
        server = subprocess.Popen(
            [sys.executable, *program, "serve", "--port", "0", "--library", library,
             *arguments],
            cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=err,
        )  # fmt: skip
    assert server.stderr is not None
    try:
        said = ""
        for line in server.stderr:
            said += line.decode()
            if found := re.search(r"serving at (http://\S+)/v1", said):
                yield found[1]
                break
        else:
            pytest.fail(f"the server did not start: {said}")
    finally:
        server.send_signal(end)
        try:
            code = server.wait(WAIT_MS / 1_000)
        finally:
            server.kill()
        rest = server.stderr.read().decode()
    assert code == 0, rest
    assert "Traceback" not in rest, rest
    assert "unisearch: error:" not in rest, rest


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of file for three concepts, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("page")
    make_library(folder / "media", concepts=CONCEPTS, kinds=KINDS)
    (folder / "media" / "pictures" / "broken.png").write_text("no picture")
    Indexer(settings=Settings(library=folder / "library", space="toy")).run([folder / "media"])
    return folder / "library"


@pytest.fixture(scope="session")
def address(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(library, tmp_path_factory.mktemp("server"), space="toy") as address:
        yield address


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of an empty library that wants a token."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "media").mkdir()
    Indexer(settings=Settings(library=folder / "library", space="toy")).run([folder / "media"])
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    with serving(
        folder / "library", folder, end=signal.SIGTERM, space="toy", server__token_sha256=digest
    ) as address:
        yield address


@contextmanager
def launched() -> Iterator[Any]:
    """The browser. Without it these tests are not run; `make test` installs it where it may."""
    if CHROMIUM is None:
        missing = "not run: apt-get install chromium"
        pytest.fail(missing) if MUST_RUN else pytest.skip(missing)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=WAIT_MS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(chromium: Any) -> Iterator[Any]:
    """One for all: it keeps the scripts of the page, which need not be sent for each test."""
    context = chromium.new_context(permissions=["microphone"])
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@pytest.fixture
def visit(window: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Opens pages. Nothing may go wrong in them, and nothing be asked of another host."""
    troubles: list[str] = []
    pages: list[Any] = []

    def open_page(address: str, width: int = 1280, dark: bool = False) -> Any:
        page = window.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
        origin = "/".join(address.split("/")[:3])
        page.on(
            "request",
            lambda sent: (
                sent.url.startswith((origin, "data:", "blob:" + origin))
                or troubles.append(f"asked {sent.url}")
            ),
        )
        page.goto(address)
        page.wait_for_selector(".brand, form")
        page.wait_for_function(HEARS)
        return page

    yield open_page
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages):
        name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
        name += f"-{number}" if number else ""
        page.screenshot(path=PICTURES / f"{name}.png")
        page.close()
    window.clear_cookies()
    assert not troubles
