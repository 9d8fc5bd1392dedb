"""Filters at the door."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.commands import Command, Ready


def paths(out: bytes) -> set[str]:
    return {Path(os.fsdecode(line)).name for line in out.splitlines()}


def test_every_hit_passes_the_filter(ask: Command, ready: Ready) -> None:
    def found(where: str, *more: str) -> set[str]:
        done = ask("search", "dog", "--where", where, "--paths", "-k", "500", *more)
        assert done.code == 0, done.err
        return paths(done.out)

    files = {path.name: path for path in ready.media.rglob("*") if path.is_file()}
    everything = found("size>=0")

    assert found("ext in (wav, flac) and size>50KB") == {
        name for name in everything
        if files[name].suffix in (".wav", ".flac") and files[name].stat().st_size > 50_000
    }  # fmt: skip
    assert found("kind:image and width>=height and not name:dog", "--under", str(ready.media))
    assert found("duration<1000") | found("not duration<1000") == everything
    assert found("age<1h") == everything
    assert found("modified<2000") == set()


def test_a_file_that_was_tagged_is_found_by_its_tag(unisearch: Command, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(f"A dog barks at number {name}.")
    unisearch("index", "one.txt", "two.txt")
    unisearch("tag", "two.txt", "+Größe")

    tagged = unisearch("search", "dog", "--where", "tag:größe", "--paths")
    phrase = unisearch("search", "dog", "--where", 'text:"number one"', "--paths")
    text = unisearch("search", "dog", "--where", "text:nothing")

    assert paths(tagged.out) == {"two.txt"}
    assert paths(phrase.out) == {"one.txt"}
    assert (text.code, text.out) == (0, b"nothing found\n")


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("durration<5", "filter, character 1: unknown field 'durration'; did you mean 'duration'?"),
        ("size>10 MB", "filter, character 9: 'MB' where 'and', 'or' or the end should be"),
        ("", "filter, character 1: empty; say what to keep, as in duration<5"),
        (b"tag:\xff", "filter, character 5: a character that is no text"),
        ("tag:\x1b[31m and", "filter, character 14: the end where a test such as duration<5"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(
    unisearch: Command, where: str | bytes, line: str
) -> None:
    done = unisearch("search", "dog", "--where", where)

    assert (done.code, done.out) == (2, b"")
    [shown] = done.lines()
    assert line in shown
