"""How words on a command line become terms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unisearch.engine.terms import ItemId, Sentence, Term, check_modalities, parse_terms, term_of
from unisearch.errors import UnisearchError, UnknownName, UsageError
from unisearch.records import AudioSample, ImageSample, PointSample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cat.png", "my dog.wav", "train"):
        Path(name).write_bytes(b"x")


def test_consecutive_words_form_one_sentence() -> None:
    assert parse_terms(["a", "dog", "barks"]) == [Term(Sentence("a dog barks"))]


def test_a_file_or_a_spaced_argument_stands_alone_between_words() -> None:
    terms = parse_terms(["red", "car", "cat.png", "at night", "loud"])

    assert terms == [
        Term(Sentence("red car")),
        Term(Path("cat.png")),
        Term(Sentence("at night")),
        Term(Sentence("loud")),
    ]


@pytest.mark.parametrize(
    ("argument", "term"),
    [
        ("2:cat.png", Term(Path("cat.png"), 2.0)),
        ("0.5:night", Term(Sentence("night"), 0.5)),
        ("10:item:7", Term(ItemId(7), 10.0)),
        ("item:7", Term(ItemId(7))),
        ("text:cat.png", Term(Sentence("cat.png"))),
        ("file:train", Term(Path("train"))),
        ("my dog.wav", Term(Path("my dog.wav"))),
        ("./cat.png", Term(Path("cat.png"))),
        ("16:9", Term(Sentence("16:9"))),
        ("train", Term(Sentence("train"))),
        ("black and/or white", Term(Sentence("black and/or white"))),
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


@pytest.mark.parametrize("argument", ["item:dog", "text:", "0:dog", "0.0:dog", " ", "2:text: "])
def test_a_malformed_term_is_a_usage_error(argument: str) -> None:
    with pytest.raises(UsageError):
        parse_terms([argument])


def test_no_arguments_are_no_terms() -> None:
    assert parse_terms([]) == []


def test_python_values_become_terms() -> None:
    points = np.zeros((5, 6))

    assert term_of("dog") == Term(Sentence("dog"))
    assert term_of(7) == Term(ItemId(7))
    assert term_of(Path("cat.png")) == Term(Path("cat.png"))
    assert term_of(b"RIFF") == Term(b"RIFF")
    assert isinstance(term_of(Image.new("L", (4, 4))).value, ImageSample)
    assert isinstance(term_of((np.zeros((4, 4, 3)), "image")).value, ImageSample)
    assert isinstance(term_of((np.zeros(99), "audio", 8000)).value, AudioSample)
    cloud = term_of((points, "3d")).value
    assert isinstance(cloud, PointSample)
    assert cloud.colors is not None
    assert cloud.points.shape == cloud.colors.shape == (5, 3)


@pytest.mark.parametrize("value", [None, 1.5, True, "", ("a", "b"), {"dog"}])
def test_a_python_value_without_meaning_is_a_usage_error(value: object) -> None:
    with pytest.raises(UsageError):
        term_of(value)


def test_modalities_come_in_the_order_of_the_table_and_mistakes_offer_the_nearest() -> None:
    assert check_modalities(None) == ("text", "image", "audio", "3d")
    assert check_modalities(["3d", "text"]) == ("text", "3d")
    with pytest.raises(UnknownName, match="did you mean 'image'"):
        check_modalities(["images"])
