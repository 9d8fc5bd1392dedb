"""Every file of a library is cut and flipped: the doctor sees it, no search breaks, and repair
brings back what can be brought back."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.storage.harm import (
    PICTURES,
    REMOVED,
    TEXTS,
    Harm,
    differences,
    harms,
    in_child,
    look_and_mend,
    make,
)

FEW = {".db": 8, ".f16": 1, ".keys": 1, ".faiss": 2, ".json": 1}
MANY = {".db": 320, ".f16": 20, ".keys": 20, ".faiss": 40, ".json": 30}

#: Columns whose value contradicts nothing when it changes, so that nobody can see it.
UNSEEN = {
    # facts of a file, shown and filtered by
    *(f"contents.{name}" for name in (
        "width", "height", "duration_s", "rate_hz", "channels", "vertices", "faces", "chars",
        "truncated_at_s",
    )),
    "segments.start_s", "segments.end_s",
    # marks and capitals: other words would be seen
    "segments.text", "passages.text",
    # what a file was like: it is looked at again by the next run
    *(f"{table}.{name}" for table in ("items", "failures") for name in (
        "device", "size_bytes", "mtime_ns", "ctime_ns", "inode", "kind", "message",
    )),
    "roots.whole", "spaces.added", "spaces.name",
    # when a sample was drawn
    *(f"backgrounds.{name}" for name in ("epoch", "count", "dead", "kinds")),
    # of the full text: lengths that weigh matches; a second copy of the words; its settings
    *(f"item_words{end}" for end in (
        "_docsize.sz", "_content.c0", "_content.c1", "_content.c2", ".name", ".tags", ".words",
        "_data.block", "_config.v",
    )),
    "passages_docsize.sz", "passages_data.block", "passages_config.v",
    "alembic_version.version_num", "sqlite_sequence.seq",
}  # fmt: skip

#: Approximate answers that are nearly right share so many hits with others.
SHARED = 0.6


class Ward:
    """One library, damaged anew in each case. counts: what became of how many cases"""

    def __init__(self, folder: Path) -> None:
        self.whole = make(folder)
        self.library = folder / "case" / "library"
        (folder / "case").mkdir()
        (folder / "case" / "media").symlink_to(folder / "media")
        self._copy()
        said = in_child(look_and_mend, self.library)
        assert (said["found"], said["warned"], said["done"]) == ([], [], [])
        self.right: list[dict[str, float]] = said["answers"]
        self.truth: list[dict[str, float]] = said["mended"]["truth"]
        assert [len(one) for one in self.truth] == [TEXTS - REMOVED + PICTURES] * 3
        self.counts: Counter[str] = Counter()
        self.unseen: Counter[str] = Counter()

    def case(self, harm: Harm) -> None:
        self._copy()
        harm.do(self.library)
        damaged = self.library.with_name("damaged.db")
        if harm.how != "remove":
            shutil.copy(self.library / "catalog.db", damaged)
        said = in_child(look_and_mend, self.library)
        if harm.file != "catalog.db":
            assert said["found"], "not found"
            self._check_answers(said)
        elif not said["found"]:
            self._note_unseen(damaged)
            return
        self._check_mended(harm, said)

    def _copy(self) -> None:
        shutil.rmtree(self.library, ignore_errors=True)
        shutil.copytree(self.whole, self.library)

    def _note_unseen(self, damaged: Path) -> None:
        """What nobody saw may only be what nobody can see."""
        columns = differences(self.whole / "catalog.db", damaged)
        self.counts["catalogue, not seen"] += 1
        self.unseen.update(columns or {"nothing"})
        assert columns <= UNSEEN, f"{columns - UNSEEN} changed and nobody saw it"

    def _check_answers(self, said: dict[str, Any]) -> None:
        """With damaged rows or snapshots each hit is a right one, and when many are missing
        there is a warning."""
        if "refused" in said:
            self.counts["refused in one line"] += 1
            assert "\n" not in said["refused"]
            return
        for found, right, truth in zip(said["answers"], self.right, self.truth, strict=True):
            wrong = {name for name, score in found.items() if abs(truth[name] - score) > 2e-3}
            assert not wrong, f"wrong scores: {wrong}"
            many = len(found.keys() & right.keys()) >= SHARED * len(right)
            assert many or said["warned"], f"other answers without a warning: {found}"

    def _check_mended(self, harm: Harm, said: dict[str, Any]) -> None:
        """Everything is as it was; only of a damaged catalogue may it be said that it is lost."""
        kind = "catalogue" if harm.file == "catalog.db" else "rows and snapshots"
        mended = said["mended"]
        if mended is None:
            told = [*said["lost"], *said["left"]]
            assert kind == "catalogue", told
            assert told
            self.counts["catalogue, told what is lost"] += 1
            return
        self.counts[f"{kind}, mended"] += 1
        assert mended["found"] == [], f"still found: {mended['found']}"
        for found, truth in zip(mended["truth"], self.truth, strict=True):
            assert found.keys() == truth.keys()
            assert all(abs(found[name] - truth[name]) < 2e-3 for name in truth)
        for found, right in zip(mended["answers"], self.right, strict=True):
            assert len(found.keys() & right.keys()) >= SHARED * len(right)


def run_all(folder: Path, flips: dict[str, int]) -> Ward:
    ward = Ward(folder)
    failed = []
    for harm in harms(ward.whole, flips, seed=1):
        try:
            ward.case(harm)
        except AssertionError as error:
            failed.append(f"{harm}: {str(error)[:400]}")
    print(dict(ward.counts), dict(ward.unseen))
    assert not failed, "\n\n".join(failed)
    return ward


def test_damage_is_found_harms_no_search_and_is_mended(tmp_path: Path) -> None:
    ward = run_all(tmp_path, FEW)

    assert ward.counts["rows and snapshots, mended"] >= 20
    assert sum(ward.counts.values()) >= 35


@pytest.mark.soak
def test_hundreds_of_damages_are_found_and_harm_no_search(tmp_path: Path) -> None:
    ward = run_all(tmp_path, MANY)

    assert sum(ward.counts.values()) >= 300
