"""Names mean the same thing wherever they come from."""

from __future__ import annotations

import pytest

from unisearch.training.meaning import Meanings, tidy


@pytest.fixture(scope="module")
def meanings() -> Meanings:
    return Meanings(["Cow face", "birch tree", "tiger", "washing machine", "sign"])


def test_spelling_does_not_matter() -> None:
    assert tidy("Cow face") == tidy("cow") == "cow"
    assert tidy("Tree_Spiral -transformed".replace("_", " ")) == "tree spiral"
    assert tidy("Rock 2") == "rock"


def test_a_synonym_is_the_thing_itself(meanings: Meanings) -> None:
    assert meanings.of("couch") == meanings.of("sofa")
    assert meanings.canonical("automobile") == "car"


def test_a_synonym_with_a_picture_of_its_own_stays_itself(meanings: Meanings) -> None:
    labels = meanings.of("tiger")

    assert labels["tiger"] == 1.0
    assert 0 < labels["lion"] < 1.0


def test_a_compound_is_above_all_itself_then_its_parts(meanings: Meanings) -> None:
    labels = meanings.of("birch tree dead snow")

    assert labels["birch tree dead snow"] == 1.0
    assert 1.0 > labels["birch tree"] > labels["tree"] > labels["snow"] > 0


def test_a_recording_is_of_its_concept_and_not_of_its_other_words(meanings: Meanings) -> None:
    labels = meanings.of("vehicle horn", (), "car")

    assert max(labels, key=lambda label: labels[label]) == "car"
    assert "trumpet" not in labels


def test_keywords_count_less_than_names(meanings: Meanings) -> None:
    labels = meanings.of("sign", ("shop",))

    assert labels["sign"] == 1.0
    assert 0 < labels["shop"] < 0.5
