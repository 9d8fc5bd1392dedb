"""The other pages, who may see them, and whether everybody can use them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.page.conftest import TOKEN, WAIT_MS
from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.config import Settings

Visit = Callable[..., Any]
WAIT_S = WAIT_MS / 1_000
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


#: Nothing fades any more: half faded in, everything is pale.
STILL = "document.getAnimations().every((one) => one.playState !== 'running')"


def grave(page: Any) -> list[tuple[str, str]]:
    """(rule, place) of what axe-core finds serious, in light and in dark."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"body.body--{scheme}")
        page.wait_for_function(STILL)
        found += axe.run(page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("path", ["/", "/?q=dog", "/map", "/status"])
def test_nothing_serious_keeps_anybody_from_using_the_page(
    visit: Visit, address: str, path: str
) -> None:
    page = visit(address + path)
    page.wait_for_selector(
        {"/": ".empty", "/map": "canvas", "/status": ".failures"}.get(path, ".card")
    )

    assert grave(page) == []


def test_nothing_serious_keeps_anybody_from_an_open_item(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=dog")
    page.locator(".card.kind-audio .open").first.click()
    page.wait_for_selector(".detail .facts")

    assert grave(page) == []


def test_light_or_dark_stays_as_it_was_chosen(visit: Visit, address: str) -> None:
    page = visit(f"{address}/status", dark=True)
    page.wait_for_selector("body.body--dark")

    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_selector("body.body--light")
    page.get_by_role("link", name="Map").click()

    page.wait_for_selector("h1:has-text('Map')")
    page.wait_for_selector("body.body--light")
    page.evaluate("localStorage.clear()")


def test_a_page_that_is_not_there_leads_back(visit: Visit, address: str) -> None:
    lost = httpx.get(f"{address}/nothing", headers={"Accept": "text/html"}, timeout=WAIT_S)
    thing = httpx.get(f"{address}/nothing.png", headers={"Accept": "image/*"}, timeout=WAIT_S)

    assert (lost.status_code, thing.status_code) == (404, 404)
    assert 'href="/"' in lost.text
    assert thing.headers["content-type"] == "application/problem+json"


def test_only_the_scripts_of_the_shell_run(window: Any, address: str) -> None:
    page = window.new_page()
    refused: list[str] = []
    page.on("console", lambda one: "Content Security Policy" in one.text and refused.append(one))
    page.goto(f"{address}/status")
    page.wait_for_selector(".failures")
    assert refused == []
    first, again = (httpx.get(address, timeout=WAIT_S) for _ in range(2))

    page.evaluate("""document.body.insertAdjacentHTML("beforeend",
        '<img src="data:," onerror="window.came = 1"><a href="javascript:window.came=1">x</a>')""")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.came = 1";
        document.body.append(script);
        document.querySelector("a[href^=javascript]").click();
    }""")

    while len(refused) < 3:  # or the test's own limit ends this
        page.wait_for_timeout(20)
    assert page.evaluate("window.came") is None
    page.close()
    policies = [answer.headers["content-security-policy"] for answer in (first, again)]
    assert "script-src 'self' 'nonce-" in policies[0]
    assert policies[0] != policies[1]
    scripts = first.text.split("<script")[1:]
    assert all(one.startswith(' nonce="') for one in scripts)
    assert len(scripts) > 3
    for path in ("/models/1.glb", re.findall(r'src="(/_nicegui[^"]+)', first.text)[0]):
        policy = httpx.get(address + path, timeout=WAIT_S).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'; sandbox"


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
    answer = httpx.get(f"{address}/v1/nothing", timeout=WAIT_S)
    wrong = httpx.delete(f"{address}/v1/search", timeout=WAIT_S)

    assert (answer.status_code, wrong.status_code) == (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "origin"), [("evil.example", None), (None, "http://evil.example")]
)
def test_another_site_opens_no_socket(address: str, host: str | None, origin: str | None) -> None:
    own, _, port = address.removeprefix("http://").partition(":")
    server = socket.create_connection((own, int(port)), timeout=WAIT_S)

    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"ws://{host or own}:{port}{SOCKET}", sock=server, origin=origin, open_timeout=WAIT_S
        ),
    ):
        pass  # it is not reached

    assert refused.value.response.status_code == 403


def test_a_browser_gives_the_token_once(visit: Visit, closed: str) -> None:
    page = visit(closed)
    assert page.url == f"{closed}/login"

    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=This library is empty. Index a folder first")
    page.goto(f"{closed}/status")
    page.wait_for_selector("text=None yet: unisearch index FOLDER")

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

        answer = httpx.get(closed + path, headers=headers, timeout=WAIT_S)

        assert answer.status_code == 401
    with (
        pytest.raises(InvalidStatus),
        connect(closed.replace("http", "ws") + SOCKET, open_timeout=WAIT_S),
    ):
        pass  # it is not reached


def test_a_wrong_token_is_refused(closed: str) -> None:
    answer = httpx.post(f"{closed}/login", data={"token": "wrong"}, timeout=WAIT_S)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_without_a_page_the_root_is_a_problem(library: Path) -> None:
    app = create_app(Service(Settings(library=library, space="toy")))
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.get("/", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
