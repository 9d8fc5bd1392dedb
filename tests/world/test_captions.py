from __future__ import annotations

import pytest

from unisearch.errors import UnknownName
from unisearch.world.captions import make_caption, with_article
from unisearch.world.concepts import CONCEPTS


@pytest.mark.parametrize("concept", sorted(CONCEPTS))
def test_every_caption_names_its_concept_or_a_synonym(concept: str) -> None:
    words = [concept, *CONCEPTS[concept].synonyms]

    captions = [make_caption(concept, seed) for seed in range(40)]

    for caption in captions:
        assert any(word.lower() in caption.lower() for word in words)
        assert "{" not in caption
        assert "  " not in caption
    assert len(set(captions)) > 15


def test_a_seed_gives_the_same_caption_again() -> None:
    assert make_caption("dog", 3) == make_caption("dog", 3)


def test_silent_things_are_not_said_to_sound() -> None:
    captions = [make_caption("chair", seed) for seed in range(200)]

    assert not any("sound" in caption or "hear" in caption for caption in captions)


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("dog", "a dog"),
        ("elephant", "an elephant"),
        ("umbrella", "an umbrella"),
        ("scissors", "scissors"),
        ("pair of scissors", "a pair of scissors"),
        ("bus", "a bus"),
        ("furniture", "furniture"),
    ],
)
def test_nouns_get_their_article(noun: str, phrase: str) -> None:
    assert with_article(noun) == phrase


def test_an_unknown_concept_is_refused() -> None:
    with pytest.raises(UnknownName):
        make_caption("unicorns", 0)
