"""Threads that open the same thing at the same time open it once, and lose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unisearch.config import load_settings
from unisearch.engine import spaces as module
from unisearch.engine.lanes import Partitions
from unisearch.engine.spaces import LibrarySpaces
from unisearch.wiring import Rooms


def at_once(call: Callable[[], Any]) -> list[Any]:
    """What two threads get."""
    with ThreadPoolExecutor(2) as threads:
        return [one.result(60) for one in [threads.submit(call) for _ in range(2)]]


@pytest.mark.parametrize("name", ["toy", "starter"])
def test_a_network_is_loaded_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def slowly(_: object, name: str) -> object:
        loaded.append(name)
        time.sleep(0.1)
        return object()

    monkeypatch.setattr("unisearch.wiring.open_space", slowly)
    settings = load_settings(library=tmp_path, space="toy")
    rooms = Rooms(settings, SimpleNamespace())  # type: ignore[arg-type]

    first, second = at_once(lambda: rooms.named(name))

    assert first is second
    assert loaded == [name]


def test_a_partition_is_opened_once() -> None:
    opened = []

    def slowly(*_: object) -> object:
        opened.append(object())
        time.sleep(0.1)
        return opened[-1]

    partitions = Partitions(None, None)  # type: ignore[arg-type]
    view, space = SimpleNamespace(file=1), SimpleNamespace(id="toy-1")

    first, second = at_once(
        lambda: partitions._opened(view, space, "text", slowly)  # type: ignore[arg-type]
    )

    assert first is second
    assert len(opened) == 1


@dataclass(eq=False)
class Named:
    """A space; what another thread does when it is compared, or else at last."""

    id: str
    meanwhile: list[Callable[[], Any]] = field(default_factory=list)

    def __eq__(self, other: object) -> bool:
        while self.meanwhile:
            self.meanwhile.pop()()
        return self is other


def test_spaces_that_are_opened_at_the_same_time_are_all_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, first, second = Named("old"), Named("first"), Named("second")
    monkeypatch.setattr(module, "active_spaces", lambda _, rows: rows)
    monkeypatch.setattr(module, "_offer", lambda one, _: SimpleNamespace(name=one.id))
    settings = SimpleNamespace(settings=SimpleNamespace(space=""))
    spaces = LibrarySpaces(settings)  # type: ignore[arg-type]
    spaces._offered([], [old])  # type: ignore[list-item]
    other: Callable[[], Any] = lambda: spaces._offered([], [second])  # type: ignore[list-item]  # noqa: E731
    first.meanwhile = old.meanwhile = [other]

    spaces._offered([], [first])  # type: ignore[list-item]
    for left in old.meanwhile:
        left()

    assert [spaces[name] for name in ("old", "first", "second")] == [old, first, second]
