"""Which spaces a library holds, changed: what a job does in one transaction, and its files."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from unisearch.catalog.rows import Goal, SpaceRow, State
from unisearch.catalog.write import Writing
from unisearch.errors import UnisearchError
from unisearch.held import covered
from unisearch.index import durable
from unisearch.spaces.base import Space
from unisearch.wiring import INDEX_FOLDER, VECTORS_FOLDER


def begin_space(tx: Writing, space: Space, goal: Goal) -> tuple[int, list[str]]:
    """Have the library hold the space, too: it is to be built, unless it is complete already.

    Returns how many vectors it needs, and the ids of spaces that were dropped.
    Raises UnisearchError for a library that holds nothing yet: its space is chosen by the settings.
    """
    if not tx.spaces():
        raise UnisearchError(
            f"the library holds nothing yet: set 'space: {space.name}' in the settings, and index"
        )
    row = tx.space(space.id)
    if row is not None and row.state == "active":
        return 0, _follow(tx, row, goal)
    if row is None:
        hold(tx, space, "building")
    tx.set_state(space.id, "building", goal)
    row = tx.space(space.id)
    assert row is not None
    done, total = tx.extent(row)
    return total - done, []


def hold(tx: Writing, space: Space, state: State) -> None:
    """Note a space whose vectors the library holds from now on, and the parts of these."""
    tx.add_space(space.id, space.name, space.dim, covered(space), state)
    if space.mixed:
        tx.add_space(space.parts_id, space.name, 2 * space.dim, space.mixed, "parts")


def finish_space(tx: Writing, row: SpaceRow) -> list[str]:
    """The space is complete: it answers from now on. The ids of spaces that were dropped."""
    tx.set_state(row.id, "active")
    return _follow(tx, row, row.goal)


def end_space(tx: Writing, name: str) -> tuple[int, list[str]]:
    """Drop the space of that id, or of that name; (how many vectors it had, its id).

    Raises UnisearchError when there is none, when the name stands for several, and for the last
    active one.
    """
    rows = tx.spaces()
    found = [row for row in rows if row.id == name] or [row for row in rows if row.name == name]
    if not found:
        held = ", ".join(row.id for row in rows) or "none"
        raise UnisearchError(f"the library has no space '{name}'; it holds {held}")
    if len(found) > 1:
        listed = ", ".join(f"{row.id} ({row.state})" for row in found)
        raise UnisearchError(f"'{name}' is several spaces, name one of them: {listed}")
    [row] = found
    if [one.id for one in rows if one.state == "active"] == [row.id]:
        raise UnisearchError(
            f"'{row.id}' is the library's only active space: switch to another one first"
        )
    vectors = sum(one.count - one.dead for one in tx.all_partitions() if one.space == row.id)
    return vectors, tx.drop_space(row)


def drop_files(library: Path, spaces: Iterable[str]) -> None:
    """Remove what lies on the disk of spaces that were dropped. Call after the commit."""
    for space in spaces:
        for top in (library / VECTORS_FOLDER / space, library / INDEX_FOLDER / space):
            durable.unlink(path for path in top.rglob("*") if not path.is_dir())
            for folder in [*top.glob("*"), top]:
                with suppress(OSError):  # it was never made
                    folder.rmdir()


def _follow(tx: Writing, row: SpaceRow, goal: Goal) -> list[str]:
    """What becomes of the others when that space answers; the ids of those that were dropped."""
    others = [one for one in tx.spaces() if one.state == "active" and one.id != row.id]
    if goal == "replace":
        return [gone for space in others for gone in tx.drop_space(space)]
    for space in others if goal == "switch" else ():
        tx.set_state(space.id, "left")
    return []
