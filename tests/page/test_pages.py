"""The other pages, who may see them, and whether everybody can use them."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.page.conftest import serving

Visit = Callable[..., Any]
TOKEN = "a token of this test"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.mark.parametrize("path", ["/", "/?q=dog", "/map", "/status"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_keeps_anybody_from_using_the_page(
    visit: Visit, address: str, path: str, dark: bool
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(address + path, dark=dark)
    page.wait_for_selector(
        {"/": ".empty", "/map": "canvas", "/status": ".failures"}.get(path, ".card")
    )

    found = axe.run(page).response["violations"]

    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in grave] == []


def test_nothing_serious_keeps_anybody_from_an_open_item(visit: Visit, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(f"{address}/?q=dog")
    page.locator(".card.kind-audio .open").first.click()
    page.wait_for_selector(".detail .facts")
    page.wait_for_timeout(500)  # until it stands still: half faded in, everything is pale

    found = axe.run(page).response["violations"]

    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in grave] == []


@pytest.mark.parametrize("path", ["/?q=dog", "/map", "/status"])
def test_a_phone_shows_all_of_it(visit: Visit, address: str, path: str) -> None:
    page = visit(address + path, width=375, dark=True)
    page.wait_for_selector({"/map": "canvas", "/status": ".failures"}.get(path, ".card"))

    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_map_leads_to_the_items(visit: Visit, address: str) -> None:
    page = visit(f"{address}/map")
    page.wait_for_selector("canvas")

    page.get_by_text("The files as a list").click()
    page.get_by_role("button", name="dog 01.jpg (picture)").click()

    page.wait_for_selector(".detail img.large")


def test_the_status_page_names_what_could_not_be_read_and_why(visit: Visit, address: str) -> None:
    page = visit(f"{address}/status")

    row = page.locator(".failures li").first
    row.wait_for()

    assert "broken.png" in row.inner_text()
    assert "not a picture" in row.inner_text()


def test_a_route_of_the_api_that_is_not_there_is_a_problem_not_a_page(address: str) -> None:
    answer = httpx.get(f"{address}/v1/nothing", timeout=30)
    wrong = httpx.delete(f"{address}/v1/search", timeout=30)

    assert (answer.status_code, wrong.status_code) == (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "origin"), [("evil.example", None), (None, "http://evil.example")]
)
def test_another_site_opens_no_socket(address: str, host: str | None, origin: str | None) -> None:
    own, _, port = address.removeprefix("http://").partition(":")
    server = socket.create_connection((own, int(port)), timeout=10)

    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{host or own}:{port}{SOCKET}", sock=server, origin=origin, open_timeout=10),
    ):
        pass  # it is not reached

    assert refused.value.response.status_code == 403


@pytest.fixture(scope="module")
def closed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The address of a server that wants a token."""
    folder = tmp_path_factory.mktemp("closed")
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    with serving(library, folder, space="toy", server__token_sha256=digest) as address:
        yield address


def test_a_browser_gives_the_token_once(visit: Visit, closed: str) -> None:
    page = visit(closed)
    assert page.url == f"{closed}/login"

    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".brand")
    page.goto(f"{closed}/?q=dog")
    page.wait_for_selector(".card")

    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]


@pytest.mark.parametrize(
    "path",
    ["/", "/map", "/models/1.glb", "/v1/status", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"],
)
def test_without_the_token_nothing_is_shown(closed: str, path: str) -> None:
    for cookie in ({}, {"unisearch_session": "99999999999.00"}, {"unisearch_session": "é.é"}):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookie.items()).encode()}

        answer = httpx.get(closed + path, headers=headers, timeout=30)

        assert answer.status_code == 401
    with pytest.raises(InvalidStatus), connect(closed.replace("http", "ws") + SOCKET):
        pass  # it is not reached


def test_a_wrong_token_is_refused(closed: str) -> None:
    answer = httpx.post(f"{closed}/login", data={"token": "wrong"}, timeout=30)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_without_a_page_the_root_is_a_problem(library: Path, tmp_path: Path) -> None:
    with serving(library, tmp_path, "--no-page", space="toy") as address:
        answer = httpx.get(f"{address}/", timeout=30)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
