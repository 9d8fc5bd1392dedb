"""From files to answers by the commands alone, on a small library of every kind of file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.commands import Command, Ready, run
from unisearch.records import MODALITIES

FOLDERS = {
    "text": "captions", "image": "pictures", "audio": "sounds", "3d": "models", "video": "videos",
}  # fmt: skip
HIT_KEYS = {
    "rank", "item", "path", "modality", "score", "similarity", "weak", "expected_by_chance",
    "matched", "copies", "segment", "space",
}  # fmt: skip


def files(ready: Ready, modality: str) -> list[Path]:
    """The sample files of a modality; an OBJ's materials are none."""
    found = (ready.media / FOLDERS[modality]).iterdir()
    return sorted(path for path in found if path.suffix != ".mtl")


def test_indexing_counts_every_file_once(ready: Ready) -> None:
    count = sum(len(files(ready, modality)) for modality in MODALITIES)

    assert ready.report["counts"] == {
        "added": count, "updated": 0, "moved": 0, "removed": 0, "unchanged": 0
    }  # fmt: skip
    assert ready.report["failed"] == []
    assert ready.report["seconds"] > 0


def test_a_second_run_embeds_nothing(ask: Command, ready: Ready) -> None:
    counts = ask("index", ready.media, "--json").json()["counts"]

    assert counts["unchanged"] == sum(ready.report["counts"].values())
    assert sum(counts.values()) == counts["unchanged"]


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_file_finds_itself_first_and_only_the_kinds_that_were_asked_for(
    ask: Command, ready: Ready, modality: str
) -> None:
    query = files(ready, modality)[0]

    answer = ask("search", query, "--into", modality, "-k", "2", "--json").json()

    assert answer["query"] == [
        {"modality": modality, "term": str(query), "weight": 1.0, "space": "toy-1"}
    ]
    assert answer["hits"][0]["path"] == str(query)
    assert answer["hits"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert {hit["modality"] for hit in answer["hits"]} == {modality}
    assert len(answer["hits"]) == 2


def check_answer(answer: dict[str, Any]) -> None:
    """The JSON contract of a search."""
    assert set(answer) == {"query", "hits", "no_match", "took_ms"}
    assert set(answer["took_ms"]) == {"encode", "search", "total"}
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, len(answer["hits"]) + 1))
    for hit in answer["hits"]:
        assert set(hit) - {"path_b64"} == HIT_KEYS
        assert hit["matched"] in ("vector", "name", "both")
        segment = hit["segment"]
        assert segment is None or set(segment) == {"start_s", "end_s", "text"}
        assert (segment is None) == (hit["modality"] in ("image", "3d"))
    assert answer["no_match"] == all(hit["weak"] for hit in answer["hits"])


def test_words_files_weights_and_negative_terms_make_one_question(
    ask: Command, ready: Ready
) -> None:
    picture = files(ready, "image")[0]

    answer = ask("search", "a", "dog", picture, "2:night", "--not", "0.5:car", "--json").json()

    check_answer(answer)
    asked = [(term["modality"], term["term"], term["weight"]) for term in answer["query"]]
    assert asked == [
        ("text", "a dog", 1),
        ("image", str(picture), 1),
        ("text", "night", 2),
        ("text", "car", -0.5),
    ]
    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_k_counts_all_hits_or_those_of_each_kind(ask: Command) -> None:
    together = ask("search", "dog", "-k", "3", "--json").json()["hits"]
    each = ask("search", "dog", "-k", "2", "--each", "--json").json()["hits"]

    assert len(together) == 3
    kinds = [hit["modality"] for hit in each]
    assert {kind: kinds.count(kind) for kind in MODALITIES} == dict.fromkeys(MODALITIES, 2)


def test_the_command_asks_for_as_many_as_python_does(ask: Command, ready: Ready) -> None:
    many = ask("search", "dog", "-k", "100000", "--json").json()["hits"]

    assert len(many) == ready.report["counts"]["added"]


def test_only_files_below_a_folder_and_above_a_score(ask: Command, ready: Ready) -> None:
    below = ask("search", "dog", "--under", ready.media / "sounds", "--json").json()["hits"]
    above = ask("search", "dog", "--min-score", "1e6", "--json").json()["hits"]

    assert {Path(hit["path"]).parent.name for hit in below} == {"sounds"}
    assert above == []


def test_a_word_that_may_be_more_is_answered_and_told(ask: Command, tmp_path: Path) -> None:
    (tmp_path / "dog").mkdir()

    done = ask("search", "dog", "--not", "11:cow", "--json")
    plain = ask("search", "a dog", "--json")

    assert done.json()["query"][0]["term"] == "dog"
    assert [line.split(" is taken for words")[0] for line in done.lines()] == [
        "unisearch: hint: 'dog'",
        "unisearch: hint: '11:cow'",
    ]
    assert plain.err == ""


def test_an_item_finds_its_likes_without_itself(ask: Command) -> None:
    [first, *_] = ask("search", "dog", "--into", "text", "--json").json()["hits"]

    answer = ask("search", f"item:{first['item']}", "--json").json()

    assert answer["query"][0]["term"] == f"item:{first['item']}"
    assert first["item"] not in [hit["item"] for hit in answer["hits"]]


def test_names_find_a_hit_unless_they_are_turned_off(ask: Command, ready: Ready) -> None:
    name = next(path for path in files(ready, "audio") if " " in path.stem).stem.split()[0]

    both = ask("search", name, "--into", "audio", "--json").json()["hits"]
    bare = ask("search", name, "--into", "audio", "--no-names", "--json").json()["hits"]

    assert any(hit["matched"] != "vector" for hit in both if name in hit["path"])
    assert {hit["matched"] for hit in bare} == {"vector"}


def test_paths_go_into_other_programs(ask: Command, ready: Ready) -> None:
    query = files(ready, "3d")[0]

    lines = ask("search", query, "--into", "3d", "--paths", process=True)
    nulls = ask("search", query, "--into", "3d", "--paths", "-0")

    assert lines.err == ""
    assert lines.out.splitlines()[0] == os.fsencode(query)
    assert nulls.out == lines.out.replace(b"\n", b"\0")


def test_a_table_shows_score_kind_path_and_passage(ask: Command, ready: Ready) -> None:
    query = files(ready, "text")[0]

    done = ask("search", query, "--into", "text")

    shown = done.out.decode()
    assert done.code == 0
    assert all(title in shown for title in ("rank", "score", "kind", "path", "passage"))
    assert query.name in shown
    assert query.read_text().split()[-1].strip(".") in shown


def test_status_and_roots_say_what_is_there(ask: Command, ready: Ready) -> None:
    facts = ask("status", "--json").json()
    roots = ask("roots", "list", "--json").json()["roots"]

    total = sum(ready.report["counts"].values())
    assert facts["library"] == str(ready.library)
    assert sum(kind["items"] for kind in facts["modalities"].values()) == total
    assert roots == [{"path": str(ready.media), "items": total, "whole": True}]
    assert str(ready.media) in ask("status").out.decode()


def test_the_doctor_finds_a_healthy_library_healthy(ask: Command) -> None:
    findings = ask("doctor", "--json").json()["findings"]

    assert {finding["level"] for finding in findings} == {"ok"}


def test_the_doctor_finds_a_flipped_bit(unisearch: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a red fox")
    unisearch("index", "a.txt")
    [rows] = (tmp_path / "library" / "vectors").rglob("*.f16")
    content = bytearray(rows.read_bytes())
    content[5] ^= 1
    rows.write_bytes(content)

    done = unisearch("doctor", "--json")

    assert done.code == 1
    assert "error" in {finding["level"] for finding in json.loads(done.out)["findings"]}


def test_a_dry_run_says_what_would_be_and_writes_nothing(
    unisearch: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a red fox")

    counts = unisearch("index", "a.txt", "--dry-run", "--json").json()["counts"]

    assert counts["added"] == 1
    assert not (tmp_path / "library").exists()


def test_what_changes_on_disk_changes_in_the_library(unisearch: Command, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for name in ("edited", "moved", "removed", "kept"):
        (media / f"{name}.txt").write_text(f"something {name}")
    unisearch("index", "media")
    (media / "edited.txt").write_text("another text")
    (media / "moved.txt").rename(media / "there.txt")
    (media / "removed.txt").unlink()

    counts = unisearch("index", "media", "--json").json()["counts"]

    assert counts == {"added": 0, "updated": 1, "moved": 1, "removed": 1, "unchanged": 1}


def test_forget_and_roots_remove_leave_the_files(unisearch: Command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} {number}")
    unisearch("index", "a", "b")

    forgotten = unisearch("forget", "a/1.txt")
    removed = unisearch("roots", "remove", "b")
    unknown = unisearch("forget", "a/1.txt")

    assert (forgotten.code, removed.code, unknown.code) == (0, 0, 1)
    assert "knows nothing there" in unknown.err
    left = unisearch("search", "a", "--paths").out.splitlines()
    assert left == [os.fsencode(tmp_path / "a" / "2.txt")]
    assert (tmp_path / "a" / "1.txt").exists()
    assert (tmp_path / "b" / "1.txt").exists()


def test_tags_are_put_on_taken_off_and_found(unisearch: Command, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(f"text {name}")
    unisearch("index", "one.txt", "two.txt")

    put = unisearch("tag", "one.txt", "+holiday", "+sea")
    found = unisearch("search", "holiday", "--json").json()["hits"]
    taken = unisearch("tag", f"item:{found[0]['item']}", "-holiday")
    after = unisearch("search", "holiday", "--json").json()["hits"]

    assert (put.code, taken.code) == (0, 0)
    assert found[0]["path"] == str(tmp_path / "one.txt")
    assert found[0]["matched"] in ("name", "both")
    assert {hit["matched"] for hit in after} == {"vector"}


def test_a_tag_to_take_away_that_is_not_there_is_told(unisearch: Command, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("text one")
    unisearch("index", "one.txt")
    unisearch("tag", "one.txt", "+Loud")

    done = unisearch("tag", "one.txt", "-loud", "-quiet")

    assert (done.code, done.out) == (0, b"")
    assert done.lines() == [
        "unisearch: -quiet: no item named here has that tag",
        "1 item changed",
    ]


def test_duplicates_are_listed_and_shown_as_one_hit(unisearch: Command, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.txt").write_text("the same" if name != "three" else "another")
    unisearch("index", *(tmp_path.glob("*.txt")))

    groups = unisearch("duplicates", "--json").json()["groups"]
    hits = unisearch("search", "the same", "--json").json()["hits"]

    assert [{Path(file["path"]).name for file in group} for group in groups] == [
        {"one.txt", "two.txt"}
    ]
    assert [hit["copies"] for hit in hits] == [1, 0]


def test_vectors_of_files_come_in_their_order(
    unisearch: Command, ready: Ready, tmp_path: Path
) -> None:
    paths = [files(ready, modality)[0] for modality in MODALITIES]
    listing = b"\0".join(os.fsencode(path) for path in paths[1:])

    done = unisearch("embed", paths[0], "--files-from", "-", "--out", "v.npy", stdin=listing)

    vectors = np.load(tmp_path / "v.npy")
    told = json.loads((tmp_path / "v.json").read_text())
    assert done.code == 0
    assert vectors.shape == (len(MODALITIES), told["dim"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert [row["modality"] for row in told["files"]] == list(MODALITIES)
    assert [row["path"] for row in told["files"]] == [str(path) for path in paths]


def test_an_unreadable_file_is_a_row_of_nan_and_code_1(unisearch: Command, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("a red fox")
    (tmp_path / "bad.png").write_bytes(b"")

    done = unisearch("embed", "bad.png", "good.txt", "--out", "v.npy")

    vectors = np.load(tmp_path / "v.npy")
    assert done.code == 1
    assert len(done.lines()) == 1
    assert "bad.png" in done.err
    assert np.isnan(vectors[0]).all()
    assert np.isfinite(vectors[1]).all()


def test_why_a_file_has_no_vector_is_said_and_listed_in_the_same_words(
    unisearch: Command, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"")

    done = unisearch("embed", "bad.png", "nope.jpg", "--out", "v.npy")

    listed = json.loads((tmp_path / "v.json").read_text())["files"]
    assert done.lines() == [f"unisearch: {row['path']}: {row['error']}" for row in listed]
    assert listed[1]["error"] == "no such file"


def test_the_library_may_be_named_before_or_behind_the_verb(
    unisearch: Command, ready: Ready
) -> None:
    behind = unisearch("status", "--json", "--library", ready.library).json()
    before = unisearch("--library", ready.library, "status", "--json").json()

    assert behind["library"] == before["library"] == str(ready.library)


def test_a_config_file_names_library_and_space(ready: Ready, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"library: {ready.library}\nspace: toy\n")

    done = run("search", "dog", "--paths", "--config", config, cwd=tmp_path)

    assert done.code == 0, done.err
    assert os.fsencode(ready.media) in done.out
