"""An item that is asked for by its id is no answer, and what chance gives is judged without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.storage.store import ROOT, Store, settings_of, vectors_of
from unisearch.engine.answer import Answer
from unisearch.engine.chance import RANKS_FROM
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term, Vector
from unisearch.errors import UnisearchError
from unisearch.wiring import open_rooms

SOUND = 29  # a content of four segments
MEAN = vectors_of(SOUND).astype(np.float32).sum(axis=0)
AS_VECTOR = Term(Vector(MEAN / np.linalg.norm(MEAN), "audio"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many pictures and sounds that the ranks below the best tell what chance gives."""
    folder = tmp_path_factory.mktemp("own") / "library"
    store = Store(folder)
    store.add({f"{n}.png": 4 * n for n in range(RANKS_FROM + 50)})
    store.add({f"{n}.wav": 4 * n + 3 for n in range(4, RANKS_FROM // 2)} | {"sound": SOUND})
    store.close()
    return folder


@pytest.fixture
def engine(library: Path) -> Iterator[Engine]:
    with Engine(open_rooms(settings_of(library))) as opened:
        yield opened


@pytest.fixture
def item(engine: Engine) -> Term:
    """The sound by its id."""
    with engine.rooms.catalog.view() as view:
        row = view.item_at(ROOT + b"/sound")
    assert row is not None
    return Term(row.id)


def test_its_segments_do_not_count_where_they_cannot_be_found(engine: Engine, item: Term) -> None:
    by_id = engine.ask([item], into="image", names=False)
    by_vector = engine.ask([AS_VECTOR], into="image", names=False)

    assert [hit.item for hit in by_id.hits] == [hit.item for hit in by_vector.hits]
    assert expected(by_id) == pytest.approx(expected(by_vector), rel=1e-4)


def test_an_item_that_repels_does_not_change_what_chance_gives(engine: Engine, item: Term) -> None:
    picture = Term(Vector(np.roll(AS_VECTOR.value.values, 1), "image"))  # type: ignore[union-attr]

    alone = engine.ask([picture], into="image", k=100, names=False)
    without = engine.ask([picture], minus=[item], into="image", k=100, names=False)

    before = {hit.item: hit.expected_by_chance for hit in alone.hits}
    shared = [hit for hit in without.hits if hit.item in before]
    assert len(shared) > 50
    for hit in shared:
        assert hit.expected_by_chance == pytest.approx(before[hit.item], rel=1e-3)


def test_others_are_judged_as_if_it_were_not_there(engine: Engine, item: Term) -> None:
    def ask(term: Term, where: str | None = None) -> Answer:
        return engine.ask([term], into="audio", k=5, names=False, where=where)

    by_id = ask(item)
    elsewhere = ask(AS_VECTOR, where="not path:sound")
    both = ask(item, where="not path:sound")

    assert [hit.item for hit in by_id.hits] == [hit.item for hit in elsewhere.hits]
    assert expected(by_id) == pytest.approx(expected(elsewhere), rel=0.01)
    assert expected(both) == pytest.approx(expected(elsewhere), rel=1e-4)


def expected(answer: Answer) -> list[float]:
    return [hit.expected_by_chance for hit in answer.hits]


@pytest.mark.parametrize("exact_rows", [150, 50_000])
def test_damaged_rows_of_an_item_are_left_out_of_its_mean(tmp_path: Path, exact_rows: int) -> None:
    store = Store(tmp_path / "library")
    # Four rows each, but for the first: the one before last lies in both blocks of 4,096 rows.
    store.add({"first": 5} | {f"{n}.wav": 16 * n + 13 for n in range(1025)})
    store.close()
    [rows] = (tmp_path / "library" / "vectors").glob("*/audio/*.f16")
    content = bytearray(rows.read_bytes())
    content[1000] ^= 1
    rows.write_bytes(content)
    settings = settings_of(tmp_path / "library")
    vectors = settings.vectors.model_copy(update={"exact_rows": exact_rows})

    with Engine(open_rooms(settings.model_copy(update={"vectors": vectors}))) as engine:
        with engine.rooms.catalog.view() as view:
            items = {name: item.item for name, item in view.known_files().items()}
        by_id = engine.ask([Term(items[ROOT + b"/1023.wav"])], into="audio", names=False)
        half = vectors_of(16 * 1023 + 13)[2:].astype(np.float32).sum(axis=0)
        by_vector = engine.ask(
            [Term(Vector(half / np.linalg.norm(half), "audio"))],
            into="audio",
            names=False,
            where="not name:1023",
        )
        with pytest.raises(UnisearchError, match="missing or damaged: 'unisearch doctor'"):
            engine.search(items[ROOT + b"/7.wav"])

    assert [hit.path for hit in by_id.hits] == [hit.path for hit in by_vector.hits]
    assert [hit.path for hit in by_id.hits] == [ROOT + b"/1024.wav"]
