"""A library of Ex-MCR and SigLIP 2: each pair of modalities goes to the better space."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from indexer import Indexer
from tests.engine.test_route import add_space
from tests.spaces.tiny import tiny_space
from unisearch.config import Settings, load_settings
from unisearch.engine.engine import Engine
from unisearch.engine.route import Offer, route
from unisearch.engine.terms import Term
from unisearch.records import MODALITIES, Modality
from unisearch.spaces.base import Space
from unisearch.wiring import open_rooms
from unisearch.world.library import make_library


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def spaces(models: Path) -> list[Space]:
    """Both, tiny and random, in their official formats; the first is the configured one."""
    return [tiny_space("exmcr", models), tiny_space("siglip2", models)]


def offers(spaces: list[Space]) -> list[Offer]:
    """As if a library held everything that each can encode."""
    return [
        Offer(one.id, one.name, frozenset(one.modalities), frozenset(one.modalities), one.quality)
        for one in spaces
    ]


@pytest.mark.parametrize(("asked", "target"), list(product(MODALITIES, MODALITIES)))
def test_words_and_pictures_go_to_the_stronger_space_and_the_rest_to_exmcr(
    spaces: list[Space], asked: Modality, target: Modality
) -> None:
    seen = {"image", "video"}
    stronger = (asked == "text" and target in seen) or (asked in seen and target == "text")

    for order in (spaces, spaces[::-1]):
        chosen = route(asked, target, offers(order), {})
        assert chosen is not None
        if {asked, target} <= {"text", "3d", *seen} and not stronger:
            assert chosen.name == order[0].name  # no figure of either: the configured one
        else:
            assert chosen.name == ("siglip2" if stronger else "exmcr")


def test_the_settings_overrule_the_declared_quality(spaces: list[Space]) -> None:
    routes = {"text->image": "exmcr", "audio->image": "siglip2"}

    words = route("text", "image", offers(spaces), routes)
    sounds = route("audio", "image", offers(spaces), routes)

    assert words is not None
    assert words.name == "exmcr"
    assert sounds is not None
    assert sounds.name == "exmcr"  # siglip2 hears nothing


@pytest.fixture(scope="module")
def settings(
    spaces: list[Space], models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Of a library of sample media in both spaces."""
    folder = tmp_path_factory.mktemp("routes")
    make_library(folder / "media", concepts=["dog", "bell", "chair"])
    chosen = load_settings(
        library=folder / "library", models=models, space="exmcr", previews={"enabled": False}
    )
    Indexer(settings=chosen).run([folder / "media"])
    add_space(chosen.library, spaces[1], chosen)
    return chosen


def test_one_question_is_answered_by_both_spaces(settings: Settings) -> None:
    with Engine(open_rooms(settings)) as engine:
        words = engine.ask([Term("a dog")], k=20, names=False)
        picture = next(hit for hit in words.hits if hit.modality == "image")
        shown = engine.ask([Term(Path(picture.path.decode()))], k=20, names=False)
        sound = next(hit for hit in words.hits if hit.modality == "audio")
        heard = engine.ask([Term(Path(sound.path.decode()))], k=20, names=False)

    names = [
        {hit.modality: hit.space.split("-")[0] for hit in answer.hits}
        for answer in (words, shown, heard)
    ]
    assert names[0] == {"text": "exmcr", "image": "siglip2", "audio": "exmcr", "3d": "exmcr"}
    assert names[1] == {"text": "siglip2", "image": "exmcr", "audio": "exmcr", "3d": "exmcr"}
    assert names[2] == dict.fromkeys(("text", "image", "audio", "3d"), "exmcr")


def test_a_route_of_the_settings_holds_for_a_library(settings: Settings) -> None:
    routes = {"text->image": "exmcr", "image->image": "siglip2"}
    turned = settings.model_copy(
        update={"search": settings.search.model_copy(update={"routes": routes})}
    )

    with Engine(open_rooms(turned)) as engine:
        words = engine.ask([Term("a dog")], into="image", names=False)
        shown = engine.ask([Term(Path(words.hits[0].path.decode()))], into="image", names=False)

    assert {hit.space.split("-")[0] for hit in words.hits} == {"exmcr"}
    assert {hit.space.split("-")[0] for hit in shown.hits} == {"siglip2"}
    assert shown.hits[0].similarity == pytest.approx(1, abs=1e-3)
