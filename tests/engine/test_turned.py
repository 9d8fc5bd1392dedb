"""Questions by factors of their own are answered as if the library were turned to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from tests.mixed import WORDS, Mixed, blend, built, make_mixed, mixed
from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.cli.main import run
from unisearch.cli.tools import LocalTools
from unisearch.config import Settings
from unisearch.engine.answer import Answer
from unisearch.engine.engine import Engine
from unisearch.engine.questions import Question
from unisearch.engine.terms import Term
from unisearch.engine.turned_reader import TurnedReader, turned
from unisearch.errors import UnisearchError, UsageError
from unisearch.factors import mix, side_by_side
from unisearch.index.flat import FlatScan
from unisearch.index.guard import Guard
from unisearch.index.reader import Cover, PartitionReader
from unisearch.index.rows import Rows
from unisearch.records import Hit
from unisearch.remote.engine import RemoteEngine
from unisearch.wiring import open_rooms

__all__ = ["blend", "built", "make_mixed", "mixed"]
EXPERT = {"audio": 0.8, "text": 0.5}


def shown(hits: Sequence[Hit]) -> list[Any]:
    return [
        (Path(hit.path.decode()).name, pytest.approx(hit.similarity, abs=2e-3),
         pytest.approx(hit.score, abs=0.05))
        for hit in hits
    ]  # fmt: skip


def told(hits: Sequence[Hit]) -> list[Any]:
    return [(Path(hit.path.decode()).name, hit.similarity, hit.score) for hit in hits]


QUESTIONS: dict[str, Callable[[Mixed], list[Any]]] = {
    "words": lambda _: [WORDS[0]],
    "a sound": lambda mixed: [mixed.media / "1.wav"],
    "a picture": lambda mixed: [mixed.media / "2.png"],
    "an item": lambda mixed: [item_of(mixed, "2.txt")],
    "several": lambda mixed: [WORDS[1], mixed.media / "0.wav"],
}


def item_of(mixed: Mixed, name: str) -> int:
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        row = view.item_at(bytes(mixed.media / name))
    assert row is not None
    return row.id


@pytest.mark.parametrize("question", QUESTIONS)
def test_by_factors_a_library_answers_as_if_it_were_turned(mixed: Mixed, question: str) -> None:
    terms = QUESTIONS[question](mixed)
    with Engine(open_rooms(mixed.settings)) as engine:
        before = engine.search(*terms)
        once = engine.search(*terms, factors="at_expertise")
        assert told(engine.search(*terms)) == told(before)

    mixed.turn("at_expertise")

    with Engine(open_rooms(mixed.settings)) as engine:
        after = engine.search(*terms)
    assert told(once) == shown(after)
    assert len(once) == 9 - (question == "an item")
    if question != "a picture":
        assert told(once) != shown(before)


def test_what_is_not_named_stays(mixed: Mixed) -> None:
    with Engine(open_rooms(mixed.settings)) as engine:
        once = engine.search(WORDS[0], factors={"text": 0.5})
    mixed.turn("text=0.5")
    with Engine(open_rooms(mixed.settings)) as engine:
        assert told(once) == shown(engine.search(WORDS[0]))


def test_an_answer_says_by_which_factors_it_was_found_and_that_it_is_exact(mixed: Mixed) -> None:
    with Engine(open_rooms(mixed.settings)) as engine:
        plain = engine.ask([Term(WORDS[0])])
        answer = engine.ask([Term(WORDS[0])], factors="audio=0.8,text=0.5")

    assert (answer.factors, list(answer.approximate)) == (EXPERT, [])
    said = answer.to_json()
    assert (said["factors"], said["approximate"]) == (EXPERT, [])
    assert plain.to_json().keys() == said.keys() - {"factors", "approximate"}


def test_new_rows_and_forgotten_ones_count_at_once(mixed: Mixed, tmp_path: Path) -> None:
    from indexer import Indexer

    mixed.own_media(tmp_path / "media")
    with Engine(open_rooms(mixed.settings)) as engine:
        assert len(engine.search(WORDS[0], factors="at_expertise")) == 9
        (mixed.media / "late.txt").write_text("A late guest.\n", "utf-8")
        (mixed.media / "1.txt").unlink()
        with Indexer(settings=mixed.settings) as indexer:
            indexer.run([mixed.media])
        hits = engine.search("A late guest", factors="at_expertise", names=False)
    names = [Path(hit.path.decode()).name for hit in hits]
    assert names[0] == "late.txt"
    assert "1.txt" not in names
    assert hits[0].similarity > 0.99


def test_only_so_many_settings_of_factors_are_kept(mixed: Mixed) -> None:
    with Engine(open_rooms(mixed.settings)) as engine:
        for tenth in range(7):
            engine.search(WORDS[0], factors={"text": tenth / 10}, into="text")
        assert len(engine._turned) == 4
        assert list(engine._turned)[-1] == "text=0.6"


@pytest.mark.parametrize(
    ("factors", "why"),
    [
        ("strong", "unknown preset of factors 'strong'"),
        ("text=2", "the factor of text is 2: it must be from 0 to 1"),
        ("tone=1", "'tone=1' is no factor: say text=0.1,audio=0.5"),
        ({"image": 0.5}, "'blend' has no factor of image: of audio and text"),
        ({"text": None}, "is no factor"),
        ({}, "no factor is named"),
    ],
)
def test_factors_that_cannot_be_are_refused(mixed: Mixed, factors: Any, why: str) -> None:
    with Engine(open_rooms(mixed.settings)) as engine, pytest.raises(UsageError, match=why):
        engine.search(WORDS[0], factors=factors)


def test_questions_that_are_asked_together_name_the_same_factors(mixed: Mixed) -> None:
    one, other = Question([Term(WORDS[0])], factors="at_expertise"), Question([Term(WORDS[1])])
    with Engine(open_rooms(mixed.settings)) as engine:
        with pytest.raises(UsageError, match="by the same factors"):
            engine.ask_many([one, other])
        both = engine.ask_many([one, Question([Term(WORDS[1])], factors=EXPERT)])
        alone = engine.ask([Term(WORDS[1])], factors=EXPERT)
    assert told(both[1].hits) == shown(alone.hits)


def test_a_space_without_factors_is_one_line(tmp_path: Path) -> None:
    from indexer import Indexer

    (tmp_path / "note.txt").write_text("A note.\n")
    settings = Settings(library=tmp_path / "library", space="toy")
    Indexer(settings=settings).run([tmp_path / "note.txt"])
    with Engine(open_rooms(settings)) as engine, pytest.raises(UnisearchError) as raised:
        engine.search("note", factors="versatile")
    assert str(raised.value) == (
        "the library has no space with factors; its spaces: toy-1. ib_pp, internvl_ib_pp and"
        " internvl_ib_ft_pp have some"
    )


def test_commands_and_servers_pass_them_on(
    mixed: Mixed, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(mixed.settings.model_dump_json())
    with Engine(open_rooms(mixed.settings)) as engine:
        wanted = engine.ask([Term(WORDS[0])], factors=EXPERT)

    line = ["search", WORDS[0], "--config", str(config), "--json", "--factors"]
    assert run([*line, "at_expertise"]) == 0
    said = json.loads(capfdbinary.readouterr().out)
    assert run([*line, "audio=2"]) == 2
    refused = capfdbinary.readouterr().err.decode()
    with TestClient(create_app(Service(mixed.settings)), base_url="http://localhost") as client:
        question = {"terms": [{"text": WORDS[0]}], "factors": "at_expertise"}
        page = client.post("/v1/search", json=question).json()
        wrong = client.post("/v1/search", json={**question, "factors": {"text": 2}})
        with RemoteEngine("http://localhost") as remote:
            remote._client = client
            far = remote.ask([WORDS[0]], factors="audio=0.8,text=0.5")

    assert refused.splitlines() == ["unisearch: the factor of audio is 2: it must be from 0 to 1"]
    assert (wrong.status_code, wrong.json()["detail"]) == (
        400, "the factor of text is 2.0: it must be from 0 to 1",
    )  # fmt: skip
    for answer in (said, page):
        assert (answer["factors"], answer["approximate"]) == (EXPERT, [])
        assert [hit["item"] for hit in answer["hits"]] == [hit.item for hit in wanted.hits]
    assert isinstance(far, Answer)
    assert (far.factors, told(far.hits)) == (EXPERT, shown(wanted.hits))


def test_more_like_this_takes_them_however_it_is_asked(mixed: Mixed) -> None:
    item = item_of(mixed, "2.txt")
    with Engine(open_rooms(mixed.settings)) as engine:
        wanted = engine.ask([Term(item)], factors=EXPERT)
        plain = engine.ask([Term(item)])
    assert told(wanted.hits) != told(plain.hits)

    tools = LocalTools(mixed.settings)
    assistant = tools.similar(item, factors="audio=0.8,text=0.5")
    sentence = tools.search(WORDS[0], factors="at_expertise")
    tools.close()
    with TestClient(create_app(Service(mixed.settings)), base_url="http://localhost") as client:
        path = f"/v1/items/{item}/similar"
        page = client.get(path, params={"factors": "at_expertise"}).json()
        wrong = client.get(path, params={"factors": "text=2"})
        with RemoteEngine("http://localhost") as remote:
            remote._client = client
            far = remote.similar(item, factors=EXPERT)

    for answer in (assistant, page):
        assert (answer["factors"], answer["approximate"]) == (EXPERT, [])
        assert [hit["item"] for hit in answer["hits"]] == [hit.item for hit in wanted.hits]
    assert told(far) == shown(wanted.hits)
    assert sentence["factors"] == EXPERT
    assert (wrong.status_code, wrong.json()["detail"]) == (
        400, "the factor of text is 2: it must be from 0 to 1",
    )  # fmt: skip


# What is read from parts: a partition of 3,000 rows, its dead ones and a damaged block


def unit(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    rows = rng.standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class Parts:
    """Rows of 16 numbers by 0.1, over an index or compared one by one, and their parts."""

    def __init__(self, folder: Path, indexed: bool) -> None:
        rng = np.random.default_rng(3)
        self.keys = np.arange(3_000) * 2 + 1
        self.dead = np.array([0, 17, 2_999])
        base = unit(rng, 3_000, 16)
        expert = unit(rng, 3_000, 16)
        self.both = side_by_side(np.concatenate([base, expert], axis=1)).astype(np.float16)
        stored = mix(0.1, self.both).astype(np.float16)
        cover = Cover(FlatScan(stored), len(stored)) if indexed else None
        tail = None if indexed else FlatScan(stored)
        self.queries = unit(rng, 3, 16)
        self.reader = turned(
            self._of(stored, cover, tail, folder), self._of(self.both, None, None, folder), 0.6
        )

    def _of(self, rows: Any, cover: Cover | None, tail: Any, folder: Path) -> PartitionReader:
        guard = Guard(folder / "0.f16")
        return PartitionReader("text", Rows(self.keys, rows), self.dead, [], cover, tail, guard)

    def wanted(self, k: int, among: NDArray[np.int64] | None = None) -> list[list[int]]:
        cosines = self.queries @ mix(0.6, self.both).T
        cosines[:, self.dead] = -2
        if among is not None:
            cosines[:, np.setdiff1d(np.arange(3_000), among)] = -2
        return [self.keys[np.argsort(-row, kind="stable")[:k]].tolist() for row in cosines]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Parts]:
    monkeypatch.setattr(Guard, "damaged", lambda *_: np.empty(0, np.int64))
    return lambda indexed: Parts(tmp_path, indexed)


def test_compared_one_by_one_the_nearest_are_exact(parts: Callable[[bool], Parts]) -> None:
    made = parts(False)
    assert isinstance(made.reader, TurnedReader)
    found = made.reader.search(made.queries, 7)
    assert found.keys.tolist() == made.wanted(7)
    exact = made.reader.scores(made.queries, found.keys[0])[0]
    assert found.scores[0] == pytest.approx(exact, abs=1e-6)
    assert exact == pytest.approx(made.queries[0] @ made.reader.vectors(found.keys[0]).T, abs=1e-3)
    few = np.arange(5, 60)
    assert made.reader.search(made.queries, 4, few).keys.tolist() == made.wanted(4, few)


def test_of_an_index_come_candidates_and_of_parts_their_order(
    parts: Callable[[bool], Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts(True)
    assert not made.reader.is_exact(None)
    assert made.reader.is_exact(np.arange(100))
    all_of_them = made.reader.search(made.queries, 3_000)
    assert [row[:9] for row in all_of_them.keys.tolist()] == made.wanted(9)
    assert all_of_them.keys[0, -3:].tolist() == [-1, -1, -1]  # the dead ones

    monkeypatch.setattr("unisearch.engine.turned_reader.AT_LEAST", 60)
    monkeypatch.setattr("unisearch.engine.turned_reader.WIDER", 1)
    found = made.reader.search(made.queries, 5)
    near = PartitionReader.search(made.reader, made.queries, 60)
    for row, candidates, query in zip(found.keys, near.keys, made.queries, strict=True):
        order = np.argsort(-made.reader.scores(query[None], candidates)[0], kind="stable")
        assert row.tolist() == candidates[order[:5]].tolist()


def test_keys_that_are_not_here_have_no_cosine(parts: Callable[[bool], Parts]) -> None:
    made = parts(False)
    scores = made.reader.scores(made.queries, np.array([1, 2, 3]))  # dead, unknown, here
    assert np.isnan(scores).tolist() == [[True, True, False]] * 3
