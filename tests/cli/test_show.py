"""How an answer looks to people: the same order and numbers as for programs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from unisearch.cli.show import print_answer
from unisearch.engine.answer import Answer
from unisearch.records import Hit


def hit(rank: int, score: float, *, weak: bool) -> Hit:
    """A picture at that rank."""
    return Hit(
        rank=rank, item=rank, path=f"/media/{rank}.png".encode(), modality="image", score=score,
        similarity=0.5, weak=weak, expected_by_chance=0.1, matched="vector", copies=0,
        segment=rank, start_s=None, end_s=None, text="", space="toy-1",
    )  # fmt: skip


def answer(hits: Sequence[Hit]) -> Answer:
    """An answer of these hits."""
    return Answer(query=[], hits=hits, no_match=all(hit.weak for hit in hits), took_ms={})


def shown(given: Answer, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The rows of the table, as words."""
    print_answer(given)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    return [row for row in rows if row and row[0].isdigit()]


def test_weak_hits_keep_their_place_in_the_order(capsys: pytest.CaptureFixture[str]) -> None:
    given = answer([hit(1, 4.5, weak=True), hit(2, 4.25, weak=False), hit(3, 2.125, weak=True)])

    rows = shown(given, capsys)

    told = given.to_json()["hits"]
    assert [(int(row[0]), row[1]) for row in rows] == [
        (one["rank"], f"{one['score']:.2f}") for one in told
    ]
    assert [row[2] == "~" for row in rows] == [one["weak"] for one in told]


def test_the_mark_is_explained_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(answer([hit(1, 4.5, weak=False), hit(2, 2.0, weak=True)]))
    mixed = capsys.readouterr().out
    print_answer(answer([hit(1, 4.5, weak=False)]))
    sure = capsys.readouterr().out

    assert "~ weak:" in mixed
    assert "fits well" not in mixed
    assert "weak" not in sure


def test_it_is_said_when_nothing_fits_well(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(answer([hit(1, 1.5, weak=True), hit(2, 1.25, weak=True)]))
    weak = capsys.readouterr().out
    print_answer(answer([]))
    none = capsys.readouterr().out

    assert weak.startswith("nothing fits well;")
    assert weak.count("~") == 2
    assert none == "nothing found\n"
