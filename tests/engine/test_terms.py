"""How words on a command line become terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unisearch.engine.checked import check_modalities
from unisearch.engine.terms import Term, parse_terms
from unisearch.engine.values import term_of
from unisearch.errors import UnisearchError, UnknownName, UsageError
from unisearch.records import AudioSample, ImageSample, PointSample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cat.png", "my dog.wav", "train"):
        Path(name).write_bytes(b"x")


def test_consecutive_words_form_one_sentence() -> None:
    assert parse_terms(["a", "dog", "barks"]) == [Term("a dog barks")]


def test_a_file_or_a_spaced_argument_stands_alone_between_words() -> None:
    terms = parse_terms(["red", "car", "cat.png", "at night", "loud"])

    assert terms == [
        Term("red car"),
        Term(Path("cat.png")),
        Term("at night"),
        Term("loud"),
    ]


@pytest.mark.parametrize(
    ("argument", "term"),
    [
        ("2:cat.png", Term(Path("cat.png"), 2.0)),
        ("0.5:night", Term("night", 0.5)),
        ("10:item:7", Term(7, 10.0)),
        ("item:7", Term(7)),
        ("text:cat.png", Term("cat.png")),
        ("file:train", Term(Path("train"))),
        ("my dog.wav", Term(Path("my dog.wav"))),
        ("./cat.png", Term(Path("cat.png"))),
        ("16:9", Term("16:9")),
        ("train", Term("train")),
        ("black and/or white", Term("black and/or white")),
    ],
)
def test_an_argument_means(argument: str, term: Term) -> None:
    assert parse_terms([argument]) == [term]


@pytest.mark.parametrize("argument", ["none.png", "no/such", "2:none.wav", "file:none", "/tmp/x y"])
def test_a_file_that_is_not_there_is_an_error_of_one_line(argument: str) -> None:
    with pytest.raises(UnisearchError, match="no such file") as caught:
        parse_terms([argument])

    assert not isinstance(caught.value, UsageError)
    assert "\n" not in str(caught.value)


def test_a_file_whose_name_starts_like_a_weight_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "2:two.jpg").touch()

    with pytest.raises(UnisearchError, match=r"^two\.jpg: no such file; file:2:two\.jpg asks"):
        parse_terms(["2:two.jpg"])

    assert parse_terms(["file:2:two.jpg"]) == [Term(Path("2:two.jpg"))]


@pytest.mark.parametrize("argument", ["-1:dog", "+2:dog", "1e400:dog", "1.5E-3:a dog", "-.5:dog"])
def test_a_number_that_no_weight_is_means_nothing(argument: str) -> None:
    with pytest.raises(UsageError, match=r"a weight is from 0\.1 to 10, .* text:… for words"):
        parse_terms(["a", argument])

    assert parse_terms([f"text:{argument}"]) == [Term(argument)]


@pytest.mark.parametrize("words", ["16:9", "nan:dog", "2:", "10-4:over", "-1", "1e3", "1em:wide"])
def test_what_only_looks_a_little_like_a_weight_is_words(words: str) -> None:
    assert parse_terms([words]) == [Term(words)]


@pytest.mark.parametrize(
    "argument",
    ["item:dog", "item:99999999999999999999", "text:", "0:dog", "0.0:dog", "", " ", "2:text: "],
)
def test_a_malformed_term_is_a_usage_error(argument: str) -> None:
    with pytest.raises(UsageError):
        parse_terms([argument])


def test_no_arguments_are_no_terms() -> None:
    assert parse_terms([]) == []


def test_python_values_become_terms() -> None:
    points = np.zeros((5, 6))

    assert term_of("dog") == Term("dog")
    assert term_of(7) == Term(7)
    assert term_of(Path("cat.png")) == Term(Path("cat.png"))
    assert term_of(b"RIFF") == Term(b"RIFF")
    assert isinstance(term_of(Image.new("L", (4, 4))).value, ImageSample)
    assert isinstance(term_of((np.zeros((4, 4, 3), np.uint8), "image")).value, ImageSample)
    assert isinstance(term_of((np.zeros(99), "audio", 8000)).value, AudioSample)
    cloud = term_of((points, "3d")).value
    assert isinstance(cloud, PointSample)
    assert cloud.colors is not None
    assert cloud.points.shape == cloud.colors.shape == (5, 3)


def test_a_sentence_too_long_for_a_file_name_is_a_sentence() -> None:
    words = "red " * 200

    assert parse_terms([words]) == [Term(words)]
    with pytest.raises(UnisearchError, match="no such file"):
        parse_terms(["file:" + "x" * 5000])


@pytest.mark.parametrize("array", [np.zeros((5, 5)), np.zeros(3), np.full((2, 3), np.nan)])
@pytest.mark.parametrize("modality", ["image", "3d"])
def test_an_array_of_another_shape_or_kind_is_a_usage_error(array: Any, modality: str) -> None:
    with pytest.raises(UsageError):
        term_of((array, modality))


def test_an_array_of_sound_is_mono_and_has_a_rate() -> None:
    for value in ((np.zeros((2, 99)), "audio", 8000), (np.zeros(99), "audio", 0)):
        with pytest.raises(UsageError):
            term_of(value)


@pytest.mark.parametrize("value", [None, 1.5, True, "", ("a", "b"), {"dog"}])
def test_a_python_value_without_meaning_is_a_usage_error(value: object) -> None:
    with pytest.raises(UsageError):
        term_of(value)


def test_modalities_come_in_the_order_of_the_table_and_mistakes_offer_the_nearest() -> None:
    assert check_modalities(None) == ("text", "image", "audio", "3d", "video")
    assert check_modalities(["3d", "text"]) == ("text", "3d")
    assert check_modalities("3D, Text") == ("text", "3d")
    with pytest.raises(UnknownName, match="did you mean 'image'"):
        check_modalities(["images"])
    with pytest.raises(UnknownName, match="known: 3d, audio, image, text, video"):
        check_modalities("pictures")
    for none in ("", ",", []):
        with pytest.raises(UsageError, match="no modality is named; known: 3d, audio"):
            check_modalities(none)
