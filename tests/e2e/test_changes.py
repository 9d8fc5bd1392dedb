"""Moved folders, files that failed before, and what the door refuses to write over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.commands import Command


def sentence(path: Path, words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{words}.")
    return path


def test_a_folder_that_lies_elsewhere_keeps_its_items(unisearch: Command, tmp_path: Path) -> None:
    sentence(tmp_path / "old" / "owl.txt", "An owl hoots")
    unisearch("index", "old")
    item = unisearch("search", "owl", "--json").json()["hits"][0]["item"]
    (tmp_path / "old").rename(tmp_path / "new")

    done = unisearch("relocate", "old", "new")

    assert (done.code, done.err) == (0, "new: 1 item\n")
    [hit] = unisearch("search", "owl", "--json").json()["hits"]
    assert (hit["item"], hit["path"]) == (item, str(tmp_path / "new" / "owl.txt"))
    assert unisearch("index", "new", "--json").json()["counts"]["unchanged"] == 1


def test_a_file_that_failed_is_read_again_when_asked(unisearch: Command, tmp_path: Path) -> None:
    sentence(tmp_path / "media" / "big.txt", "word " * 300_000)
    sentence(tmp_path / "media" / "small.txt", "An owl hoots")
    limited = unisearch("index", "media", "--json", limits__text_mb="1").json()

    again = unisearch("index", "media", "--json").json()
    retried = unisearch("index", "media", "--retry-failed", "--dry-run", "--json").json()

    assert [failure["kind"] for failure in limited["failed"]] == ["too_large"]
    assert again["failed"] == limited["failed"]
    assert (retried["counts"]["added"], retried["failed"]) == (1, [])


def test_single_files_are_roots_without_their_neighbours(
    unisearch: Command, tmp_path: Path
) -> None:
    sentence(tmp_path / "media" / "owl.txt", "An owl hoots")
    sentence(tmp_path / "media" / "cow.txt", "A cow moos")

    unisearch("index", "media/owl.txt")

    [root] = unisearch("roots", "list", "--json").json()["roots"]
    assert (root["items"], root["whole"]) == (1, False)
    assert "single files" in unisearch("roots", "list").out.decode()


def test_forgetting_now_leaves_no_trace_and_may_be_said_twice(
    unisearch: Command, tmp_path: Path
) -> None:
    sentence(tmp_path / "media" / "owl.txt", "An owl hoots")
    secret = sentence(tmp_path / "media" / "zebra.txt", "Zebras gallop")
    unisearch("index", "media")

    first = unisearch("forget", "media/zebra.txt", "--now")
    again = unisearch("forget", "media/zebra.txt", "--now")

    assert first.code == again.code == 0
    assert first.err == "media/zebra.txt: 1 file forgotten; no trace is left in the library\n"
    assert again.err.startswith("media/zebra.txt: the library knows nothing there; ")
    library = tmp_path / "library"
    stored = [path.read_bytes().lower() for path in library.rglob("*") if path.is_file()]
    assert stored
    assert not any(b"zebra" in content for content in stored)
    assert secret.exists()
    assert unisearch("doctor").code == 0


def test_forgetting_a_file_that_failed_is_no_error(unisearch: Command, tmp_path: Path) -> None:
    sentence(tmp_path / "media" / "owl.txt", "An owl hoots")
    (tmp_path / "media" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    unisearch("index", "media")

    done = unisearch("forget", "media/broken.png")

    assert (done.code, done.err) == (0, "media/broken.png: 1 file forgotten\n")
    assert unisearch("status", "--json").json()["failures"] == {}


def test_embed_writes_over_nothing_unless_it_is_told_to(unisearch: Command, tmp_path: Path) -> None:
    file = sentence(tmp_path / "owl.txt", "An owl hoots")
    listing, vectors = tmp_path / "out.json", tmp_path / "out.npy"
    listing.write_text("mine")

    strange = unisearch("embed", file, "--out", "out.npy")
    listing.unlink()
    vectors.write_text("mine too")
    taken = unisearch("embed", file, "--out", "out.npy")

    for done, name in ((strange, "out.json"), (taken, "out.npy")):
        assert (done.code, done.out) == (1, b"")
        assert done.err == f"unisearch: {name}: is there already; --force writes over it\n"
    assert vectors.read_text() == "mine too"
    assert not listing.exists()

    assert unisearch("embed", file, "--out", "out.npy", "--force").code == 0
    assert unisearch("embed", file, "--out", "out.npy", "--force").code == 0
    assert np.load(vectors).shape[0] == len(json.loads(listing.read_text())["files"]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.npy", "owl.txt"]


def test_what_embed_cannot_find_or_write_is_told_in_plain_words(
    unisearch: Command, tmp_path: Path
) -> None:
    file = sentence(tmp_path / "owl.txt", "An owl hoots")

    nowhere = unisearch("embed", file, "--out", "no/such/out.npy")
    nothing = unisearch("embed", "nothing.png", "--out", "out.npy")

    assert (nowhere.code, nothing.code) == (1, 1)
    assert nowhere.err == f"unisearch: {tmp_path / 'no' / 'such'}: no such folder\n"
    assert nothing.err == "unisearch: nothing.png: no such file\n"


def test_groups_of_equal_files_are_counted_in_words(unisearch: Command, tmp_path: Path) -> None:
    for name in ("one", "two", "three", "four"):
        sentence(tmp_path / "media" / f"{name}.txt", "An owl" if name < "p" else "A dog")
    unisearch("index", "media")
    several = unisearch("duplicates")
    (tmp_path / "media" / "two.txt").unlink()
    unisearch("index", "media")

    single = unisearch("duplicates")

    assert several.out.decode().splitlines()[-1] == "2 groups of equal files"
    assert single.out.decode().splitlines()[-1] == "1 group of equal files"


def test_ids_and_tags_that_cannot_be_are_one_line(unisearch: Command, tmp_path: Path) -> None:
    sentence(tmp_path / "media" / "owl.txt", "An owl hoots")
    unisearch("index", "media")

    for arguments in (
        ("search", "item:99999999999999999999"),
        ("tag", "item:99999999999999999999", "+pet"),
        ("tag", "item:1", "+a\udcffb"),
    ):
        done = unisearch(*arguments)
        assert (done.code, len(done.lines())) == (2, 1)
        assert "unexpected" not in done.err


def test_a_terminal_without_the_letters_still_gets_the_answer(
    unisearch: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    sentence(tmp_path / "media" / "Käuzchen….txt", "An owl hoots")
    unisearch("index", "media")

    done = unisearch("search", "owl", process=True)

    assert done.code == 0
    assert b"K\\xe4uzchen" in done.out


def test_a_sound_longer_than_the_limit_is_listed(unisearch: Command, tmp_path: Path) -> None:
    import numpy as np

    from unisearch.world.files import write_sound

    (tmp_path / "media").mkdir()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000 * 40).astype(np.float32)
    write_sound(tmp_path / "media" / "long.wav", noise, 16_000)

    report = unisearch("index", "media", "--json", limits__audio_hours="0.005").json()

    [sound] = report["truncated"]
    assert sound["path"] == str(tmp_path / "media" / "long.wav")
    assert 15 < sound["at_s"] < 20
    assert "only up to" in unisearch("status").out.decode()
