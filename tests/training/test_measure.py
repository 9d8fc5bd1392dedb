"""A space measured on a folder of media, against figures worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.indexer.conftest import sound
from unisearch.cli.main import run
from unisearch.errors import UsageError
from unisearch.records import ImageSample, Modality, Prepared, ReadOptions, Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.training.measure import Measured, measure_folder, named

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
ORANGE = (255, 100, 0)


class Colours(Space):
    """A picture is its mean colour; a text says its own vector: '1 0 0' is red."""

    name, id, dim = "colours", "colours-1", 3
    modalities: tuple[Modality, ...] = ("text", "image")

    @property
    def preparer(self) -> Callable[[Sample], Prepared]:
        return self._seen

    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = np.array([one.arrays[0] for one in batch], np.float32).reshape(-1, 3)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def reference(self, modality: Modality) -> NDArray[np.float32]:
        raise AssertionError("nothing here is scored")

    def _seen(self, sample: Sample) -> Prepared:
        if isinstance(sample, TextSample):
            words = [word for word in sample.text.split() if word.replace(".", "").isdigit()]
            return Prepared("text", (np.array(words, np.float32),))
        assert isinstance(sample, ImageSample)
        return Prepared("image", (sample.pixels.mean((0, 1)).astype(np.float32),))


def picture(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 24), colour).save(path)


def measured(folder: Path, *templates: str) -> Measured:
    return measure_folder(
        Colours(), folder, ReadOptions(), templates=templates, tell=lambda line: None
    )


def table(folder: Path, name: str, *rows: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(rows) + "\n", "utf-8")


def test_pairs_of_a_table_give_the_figures_worked_out_by_hand(tmp_path: Path) -> None:
    for name, colour in (("a", RED), ("b", GREEN), ("c", ORANGE)):
        picture(tmp_path / "pictures" / f"{name}.png", colour)
    table(
        tmp_path,
        "pairs.csv",
        "image,text",
        "pictures/a.png,1 0 0",
        "pictures/b.png,0 1 0",
        "pictures/c.png,0.2 1 0",
    )

    found = measured(tmp_path)

    # Cosines of the texts to a, b, c. '1 0 0': 1, 0, .93: first. '0 1 0': 0, 1, .37: first.
    # '.2 1 0': .20, .98, .55: its own picture c is the second.
    by_text = {row.task: row for row in found.rows}["text → image"]
    assert (by_text.queries, by_text.gallery) == (3, 3)
    assert (by_text.recall_1, by_text.recall_5) == (pytest.approx(2 / 3), 1.0)
    assert by_text.precision == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert by_text.median_rank == 1
    # Pictures to the three texts. a: 1, 0, .20: first. b: 0, 1, .98: first. c: .93, .37, .55: 2nd.
    by_image = {row.task: row for row in found.rows}["image → text"]
    assert by_image.recall_1 == pytest.approx(2 / 3)
    assert by_image.precision == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert {row.task for row in found.rows} == {"text → image", "image → text"}


def test_a_thing_in_several_rows_is_one_thing_with_several_answers(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", RED)
    picture(tmp_path / "b.png", GREEN)
    table(
        tmp_path,
        "pairs.tsv",
        "text\timage",
        "1 0 0\ta.png",
        "0 1 0\ta.png",
        "0.1 1 0\tb.png",
    )

    row = {row.task: row for row in measured(tmp_path).rows}["image → text"]

    assert (row.queries, row.gallery) == (2, 3)
    # a finds its two texts at places 1 and 3; b finds its one behind '0 1 0', which is a's.
    assert row.precision == pytest.approx(((1 / 1 + 2 / 3) / 2 + 1 / 2) / 2)
    assert row.median_rank == 1.5


def test_groups_join_rows_and_things_of_one_kind(tmp_path: Path) -> None:
    for name, colour in (("a", RED), ("b", ORANGE), ("c", GREEN), ("d", BLUE)):
        picture(tmp_path / f"{name}.png", colour)
    table(
        tmp_path,
        "pairs.csv",
        "group,image,text",
        "warm,a.png,",
        "warm,b.png,1 0.1 0",
        "cold,c.png,0 0.1 1",
        "cold,d.png,",
    )

    rows = {row.task: row for row in measured(tmp_path).rows}

    # a and b find each other; c finds b before d, d finds c behind a and b (all at 0, ties last).
    assert (rows["image → image"].queries, rows["image → image"].gallery) == (4, 3)
    assert rows["image → image"].precision == pytest.approx((1 + 1 + 1 / 3 + 1 / 3) / 4)
    # 'text → image': both pictures of a group are right, and the first two.
    assert rows["text → image"].recall_1 == 1.0
    assert rows["text → image"].precision == 1.0
    assert "text → text" not in rows  # each has no other of its group


def test_a_file_that_cannot_be_read_is_told_and_left_out_with_its_pairs(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", RED)
    picture(tmp_path / "b.png", GREEN)
    (tmp_path / "c.png").write_bytes(b"no picture")
    (tmp_path / "d.txt").write_text("1 1 1")
    table(
        tmp_path,
        "pairs.csv",
        "text,image",
        *("1 0 0,a.png", "0 1 0,b.png", "0 0 1,c.png", "1 1 0,d.txt", "1 1 1,gone.png"),
    )

    found = measured(tmp_path)

    assert [Path(path).name for path, _ in found.failed] == ["c.png", "d.txt", "gone.png"]
    assert found.failed[1][1] == "holds text, where image is wanted"
    assert found.failed[2][1] == "no such file"
    rows = {row.task: row for row in found.rows}
    assert (rows["image → text"].queries, rows["image → text"].gallery) == (2, 5)
    assert (rows["text → image"].queries, rows["text → image"].gallery) == (2, 2)


def test_kinds_that_the_space_does_not_have_are_counted_and_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", RED)
    sound(tmp_path / "a.wav", 1, 1)
    table(tmp_path, "pairs.csv", "text,image,audio", "1 0 0,a.png,a.wav", "0 1 0,,a.wav")

    found = measured(tmp_path)

    assert found.skipped == {"audio": 1}
    assert {row.task for row in found.rows} == {"text → image", "image → text"}


def test_folders_are_classes_and_their_names_the_question(tmp_path: Path) -> None:
    picture(tmp_path / "1_0_0" / "red.png", RED)
    picture(tmp_path / "1_0_0" / "orange.png", ORANGE)
    picture(tmp_path / "0_1_0" / "green.png", GREEN)
    picture(tmp_path / "0_1_0" / "wrong.png", RED)

    [found] = measured(tmp_path).zero_shot

    assert (found.modality, found.files, found.classes) == ("image", 4, 2)
    assert found.templates == ("a photo of a {}.",)
    assert found.top_1 == 3 / 4
    assert found.top_5 == 1.0
    assert found.per_class == (2 / 2 + 1 / 2) / 2
    # '1 0 0': red and wrong tie at 1, orange follows: its two at places 2 and 3.
    # '0 1 0': green 1, orange .37, the two reds 0: its two at places 1 and 4.
    assert found.precision == pytest.approx(((1 / 2 + 2 / 3) / 2 + (1 / 1 + 2 / 4) / 2) / 2)


def test_a_table_of_labels_may_give_a_file_several(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", ORANGE)
    picture(tmp_path / "b.png", BLUE)
    table(tmp_path, "labels.csv", "file,label", "a.png,1 0 0", "a.png,0 1 0", "b.png,0 0 1")

    [found] = measured(tmp_path, "{}").zero_shot

    assert (found.files, found.classes, found.top_1) == (2, 3, 1.0)
    assert found.per_class == 1.0
    assert found.precision == 1.0


def test_several_templates_are_averaged() -> None:
    rows = named(Colours(), ["0 1", "1 0"], ["1 {}", "0 {}"])

    first = (np.array([1, 0, 1]) / np.sqrt(2) + [0, 0, 1]) / 2  # of '1 0 1' and '0 0 1'
    second = (np.array([1, 1, 0]) / np.sqrt(2) + [0, 1, 0]) / 2
    expected = [first / np.linalg.norm(first), second / np.linalg.norm(second)]
    assert rows == pytest.approx(np.array(expected), abs=1e-6)


def test_names_of_files_play_no_part(tmp_path: Path) -> None:
    for folder, names in (("told", ("1 0 0", "0 1 0")), ("untold", ("x", "y"))):
        for name, colour in zip(names, (RED, GREEN), strict=True):
            picture(tmp_path / folder / f"{name}.png", colour)
        rows = [f"{text},{name}.png" for text, name in zip(("1 0 0", "0 1 0"), names, strict=True)]
        table(tmp_path / folder, "pairs.csv", "text,image", *rows)

    assert measured(tmp_path / "told").rows == measured(tmp_path / "untold").rows


@pytest.mark.parametrize(
    ("file", "rows", "told"),
    [
        ("pairs.csv", ["text,picture", "a,b"], r"pairs\.csv: unknown column 'picture'; known: te"),
        ("pairs.csv", ["text,image"], "holds no rows below the names of its columns"),
        ("pairs.csv", ["text", "a"], "pairs need two columns"),
        ("pairs.csv", ["text,image", "a,b,c"], "row 2 has not as many cells as the first one"),
        ("pairs.csv", ["text,image", "a"], "row 2 has not as many cells as the first one"),
        ("pairs.csv", ["group,text,image", ",a,b"], "row 2 has no group"),
        ("labels.tsv", ["file\tname", "a\tb"], "unknown column 'name'; known: file, label"),
        ("labels.tsv", ["file", "a"], "needs the columns 'file' and 'label'"),
        ("labels.tsv", ["file\tlabel", "a\t"], "row 2 needs a file and a label"),
        ("pairs.csv", ["text,image", "1 0 0,gone.png"], "first failure: .*gone.png: no such file"),
        ("notes.csv", ["text,image"], "says not what belongs together: it needs a table pairs.csv"),
    ],
)
def test_a_folder_that_says_too_little_is_refused_in_one_line(
    tmp_path: Path, file: str, rows: list[str], told: str
) -> None:
    table(tmp_path, file, *rows)

    with pytest.raises(UsageError, match=told):
        measured(tmp_path)


def test_a_template_without_a_gap_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no \{\} for the name of a class"):
        measured(tmp_path, "a photo")


def test_the_command_prints_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "a.png", RED)
    table(tmp_path, "pairs.csv", "text,image", "a red fox,a.png", "a lake,gone.png")
    table(tmp_path, "labels.csv", "file,label", "a.png,fox", "a.png,red", "gone.png,lake")

    code = run(["evaluate", "toy", str(tmp_path), "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [row["task"] for row in found["pairs"]] == ["text → image", "image → text"]
    assert found["zero_shot"][0]["classes"] == 2
    assert len(found["failed"]) == 2

    assert run(["evaluate", "toy", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "text → image" in shown
    assert "2 files failed, left out of every figure" in shown
