"""A file from a server arrives whole, once, and is resumed where it stopped."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.hub import COMMIT, Hub
from unisearch.errors import WeightsError
from unisearch.models import fetch as fetching
from unisearch.models.fetch import NotThere, fetch

CONTENT = bytes(range(256)) * 20_000  # 5 MB
LARGE, SMALL = "org/model/weights.pt", "org/model/config.json"


@pytest.fixture(autouse=True)
def _no_pauses_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({LARGE: CONTENT, SMALL: b"{}"}) as hub:
        yield hub


def address(hub: Hub, name: str = LARGE) -> str:
    repository, _, path = name.rpartition("/")
    return f"{hub.url}/{repository}/resolve/main/{path}"


def brought(hub: Hub, target: Path, name: str = LARGE) -> bytes:
    fetch(address(hub, name), target, lambda done, total: None)
    assert [path.name for path in target.parent.glob("*.part")] == []
    return target.read_bytes()


def test_a_file_arrives_with_its_digest_and_the_commit_of_its_repository(
    hub: Hub, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []

    found = fetch(address(hub), tmp_path / "a.pt", lambda done, total: seen.append((done, total)))

    assert (tmp_path / "a.pt").read_bytes() == CONTENT
    assert (found.size, found.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert found.commit == COMMIT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_here_is_not_sent_again(hub: Hub, tmp_path: Path) -> None:
    first = fetch(address(hub), tmp_path / "a.pt", lambda done, total: None)

    assert fetch(address(hub), tmp_path / "a.pt", lambda done, total: None) == first
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_transfer_that_breaks_off_is_taken_up_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [3_000_000, 1_000_000]

    assert brought(hub, tmp_path / "a.pt") == CONTENT
    ranges = [asked for path, asked in hub.asked if path.startswith("/cdn")]
    assert ranges == [None, "bytes=3000000-", "bytes=4000000-"]


def test_one_that_always_breaks_off_says_so_and_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [1_000_000] * 3

    with pytest.raises(WeightsError, match=r"ended after 3,000,000 of 5,120,000 bytes; run it aga"):
        brought(hub, tmp_path / "a.pt")

    assert (tmp_path / "a.pt.part").stat().st_size == 3_000_000
    assert not (tmp_path / "a.pt").exists()
    assert brought(hub, tmp_path / "a.pt") == CONTENT
    assert hub.sent("weights.pt")[-1] == "bytes=3000000-"


def test_a_killed_process_leaves_a_part_that_the_next_one_goes_on_with(
    hub: Hub, tmp_path: Path
) -> None:
    hub.hold_after = 2_500_000
    code = (
        "import sys, pathlib; from unisearch.models.fetch import fetch;"
        "fetch(sys.argv[1], pathlib.Path(sys.argv[2]), lambda done, total: None)"
    )
    command = [sys.executable, "-c", code, address(hub), os.fspath(tmp_path / "a.pt")]
    with subprocess.Popen(command) as process:
        assert hub.held.wait(60)
        part = tmp_path / "a.pt.part"
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s and not (part.exists() and part.stat().st_size):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    here = part.stat().st_size
    assert 0 < here <= 2_500_000
    assert not (tmp_path / "a.pt").exists()
    hub.hold_after = None

    assert brought(hub, tmp_path / "a.pt") == CONTENT
    assert hub.sent("weights.pt")[-1] == f"bytes={here}-"


def test_another_version_is_fetched_from_its_start(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [1_000_000] * 3
    with pytest.raises(WeightsError):
        brought(hub, tmp_path / "a.pt")
    hub.files[LARGE] = CONTENT[::-1]

    assert brought(hub, tmp_path / "a.pt") == CONTENT[::-1]


def test_a_file_that_has_changed_since_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    assert brought(hub, tmp_path / "c.json", SMALL) == b"{}"
    hub.files[SMALL], hub.version = b"[]", "2"

    assert brought(hub, tmp_path / "c.json", SMALL) == b"[]"


def test_a_server_without_ranges_sends_all_of_it_again(hub: Hub, tmp_path: Path) -> None:
    hub.break_after, hub.ranges = [1_000_000], False

    assert brought(hub, tmp_path / "a.pt") == CONTENT


def test_a_part_that_holds_everything_is_whole(hub: Hub, tmp_path: Path) -> None:
    """416: a kill came between the last byte and the new name."""
    brought(hub, tmp_path / "a.pt")
    (tmp_path / "a.pt").rename(tmp_path / "a.pt.part")

    assert brought(hub, tmp_path / "a.pt") == CONTENT
    assert hub.sent("weights.pt")[-1] == f"bytes={len(CONTENT)}-"


def test_a_part_longer_than_the_file_is_dropped(hub: Hub, tmp_path: Path) -> None:
    brought(hub, tmp_path / "a.pt")
    (tmp_path / "a.pt").unlink()
    (tmp_path / "a.pt.part").write_bytes(CONTENT + b"more")

    assert brought(hub, tmp_path / "a.pt") == CONTENT


def test_what_is_not_what_the_hub_announced_is_dropped(hub: Hub, tmp_path: Path) -> None:
    hub.lies = "0" * 64

    with pytest.raises(
        WeightsError, match=r"damaged and was dropped.*the server says 000000000000"
    ):
        brought(hub, tmp_path / "a.pt")

    assert [path.name for path in tmp_path.iterdir()] == ["a.pt.json"]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, r"is not there \(404\)"),
        (401, "may not be read without a login"),
        (403, "may not be read without a login"),
        (503, "the server answered 503"),
    ],
)
def test_each_refusal_is_one_line(hub: Hub, tmp_path: Path, status: int, message: str) -> None:
    hub.status = {"weights.pt": status}

    with pytest.raises(WeightsError, match=message) as caught:
        brought(hub, tmp_path / "a.pt")

    assert address(hub) in str(caught.value)
    assert isinstance(caught.value, NotThere) == (status == 404)


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with Hub() as gone:
        address = f"{gone.url}/a/resolve/main/b"

    with pytest.raises(WeightsError, match="cannot be reached: Connection refused"):
        fetch(address, tmp_path / "b", lambda done, total: None)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/a", "weights.pt"])
def test_only_web_servers_are_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(WeightsError, match="is no address of a web server"):
        fetch(address, tmp_path / "b", lambda done, total: None)


def test_an_encrypted_address_does_not_lead_to_an_open_one() -> None:
    redirects = fetching._Redirects({})
    request = urllib.request.Request("https://hub.test/a")

    with pytest.raises(WeightsError, match="which is not encrypted"):
        redirects.redirect_request(
            request,
            None,
            302,
            "Found",
            http.client.HTTPMessage(),
            "http://other.test/a",  # type: ignore[arg-type]
        )
