"""A library in process and one of a server have the same methods, for threads and for asyncio."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unisearch
from tests.coroutines import finished
from unisearch.engine.engine import Engine
from unisearch.errors import UnisearchError, UnknownName, UsageError
from unisearch.remote.engine import AsyncRemoteEngine, RemoteEngine

#: In process alone: a folder by its path, which a server takes from nobody; and how files are read.
OWN = {"search": {"under"}, "ask": {"under"}}
OWN_METHODS = {"reading"}


def methods(kind: type) -> dict[str, Callable[..., Any]]:
    """The public methods by their names; how it is closed is each one's own."""
    return {
        name: one
        for name, one in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in ("close", "aclose")
    }


def parameters(method: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """(kind, default) of each parameter, by its name; types of terms are wider over HTTP."""
    found = inspect.signature(method).parameters
    return {name: (one.kind, one.default) for name, one in found.items()}


def test_the_twin_for_asyncio_has_the_same_signatures() -> None:
    waits, blocks = methods(AsyncRemoteEngine), methods(RemoteEngine)

    assert waits.keys() == blocks.keys()
    for name, method in waits.items():
        assert inspect.iscoroutinefunction(method), name
        assert inspect.signature(method) == inspect.signature(blocks[name]), name


def test_in_process_there_is_each_method_of_a_server_with_the_same_parameters() -> None:
    here, there = methods(Engine), methods(RemoteEngine)

    assert here.keys() == there.keys() | OWN_METHODS
    for name, method in there.items():
        mine = parameters(here[name])
        assert parameters(method) == {
            one: told for one, told in mine.items() if one not in OWN.get(name, ())
        }, name
        assert OWN.get(name, set()) <= mine.keys()


def test_items_are_told_as_a_server_tells_them(local: Engine, remote: RemoteEngine) -> None:
    for item in (hit.item for hit in local.search("lighthouse", each=True, k=2)):
        assert local.item(item) == remote.item(item)
        assert local.content(item) == remote.content(item)
        for kind in ("still", "turn", "text"):
            assert local.preview(item, kind) == remote.preview(item, kind)
        assert [hit.item for hit in local.similar(item, k=3)] == [
            hit.item for hit in remote.similar(item, k=3)
        ]


def test_a_library_is_told_as_a_server_tells_it(local: Engine, remote: RemoteEngine) -> None:
    here, there = local.status(), remote.status()

    assert here.keys() == there.keys()
    assert (here["ready"], here["syncing"]) == (True, False)
    assert here["items"] == there["items"] == {"3d": 1, "audio": 1, "image": 1, "text": 2}
    assert here["library"]["roots"] == there["library"]["roots"]


def test_a_folder_is_named_by_its_id_in_both(local: Engine, remote: RemoteEngine) -> None:
    root = local.item(1)["root"]

    here, there = (engine.search("rock", k=9, root=root) for engine in (local, remote))

    assert len(here) == len(there) == 5
    with pytest.raises(UsageError, match="one of under and root"):
        local.search("rock", root=root, under="/")


@pytest.mark.parametrize("item", [0, -1, 999, 2**70])
def test_an_item_that_is_not_there_is_an_error_in_both(
    item: int, local: Engine, remote: RemoteEngine
) -> None:
    for engine in (local, remote):
        for method in (engine.item, engine.content, engine.similar):
            with pytest.raises(UnisearchError):
                method(item)
    assert local.preview(item) is None
    with pytest.raises(UnisearchError, match="no such folder"):
        local.search("rock", root=item)
    with pytest.raises(UnknownName, match="'stil'; did you mean 'still'"):
        local.preview(1, "stil")


def test_a_link_in_the_place_of_a_file_is_not_followed(
    local: Engine, media: Path, tmp_path: Path
) -> None:
    [hit] = local.search(media / "rock.obj", into="3d", k=1)
    file, aside = media / "rock.obj", tmp_path / "rock.obj"
    file.rename(aside)
    try:
        os.symlink(aside, file)  # noqa: PTH211
        with pytest.raises(UnisearchError, match="not there any more"):
            local.content(hit.item)
    finally:
        file.unlink()
        aside.rename(file)


def test_the_options_of_the_twin_reach_the_server(address: str, local: Engine) -> None:
    async def ask() -> list[str]:
        async with unisearch.aconnect(address) as engine:
            hits = await engine.search("rock", into=["text"], k=1, where="size<1MB", names=False)
            return [os.fsdecode(hit.path) for hit in hits]

    there = finished(ask())

    here = local.search("rock", into=["text"], k=1, where="size<1MB", names=False)
    assert there == [os.fsdecode(hit.path) for hit in here]
