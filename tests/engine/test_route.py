"""Which space answers which pair of modalities."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer import Indexer
from unisearch.config import Settings, load_settings
from unisearch.engine.engine import Engine
from unisearch.engine.route import Offer, refuse_uncovered, route, routed
from unisearch.engine.terms import Term
from unisearch.errors import BadSetting, UsageError
from unisearch.records import MODALITIES, Modality
from unisearch.spaces.base import Space
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import Rooms, open_rooms


def offer(name: str, asks: str, holds: str, **quality: float) -> Offer:
    """quality: by names like text_image"""
    return Offer(
        f"{name}-1",
        name,
        _of(asks),
        _of(holds),
        {(_one(key.split("_")[0]), _one(key.split("_")[1])): q for key, q in quality.items()},
    )


def _one(name: str) -> Modality:
    return next(modality for modality in MODALITIES if modality == name)


def _of(names: str) -> frozenset[Modality]:
    return frozenset(map(_one, names.split()))


CLIP = offer("clip", "text image", "text image", text_image=0.9, image_image=0.9)
CLAP = offer("clap", "text audio", "text audio", text_audio=0.8, text_text=0.3)
ALL = offer("starter", "text image audio 3d", "text image audio 3d", text_image=0.6, text_audio=0.5)


def chosen(asked: Modality, target: Modality, *offers: Offer, **routes: str) -> str | None:
    found = route(asked, target, offers, {key.replace("_", "->"): v for key, v in routes.items()})
    return found.name if found else None


def test_the_best_declared_quality_answers() -> None:
    assert chosen("text", "image", ALL, CLIP, CLAP) == "clip"
    assert chosen("text", "audio", ALL, CLIP, CLAP) == "clap"


def test_only_a_space_that_covers_both_ends_is_chosen() -> None:
    assert chosen("image", "audio", ALL, CLIP, CLAP) == "starter"
    assert chosen("image", "audio", CLIP, CLAP) is None


def test_a_space_without_vectors_of_the_target_is_no_choice() -> None:
    not_yet = offer("clip", "text image", "text", text_image=0.9)

    assert chosen("text", "image", ALL, not_yet) == "starter"


def test_the_preferred_one_wins_among_equals() -> None:
    assert chosen("image", "3d", offer("a", "image", "3d"), offer("b", "image", "3d")) == "a"


def test_the_configuration_overrules_quality_but_not_coverage() -> None:
    assert chosen("text", "image", ALL, CLIP, text_image="starter") == "starter"
    assert chosen("text", "image", ALL, CLIP, text_image="clap") == "clip"


def test_every_target_gets_its_own_space() -> None:
    assert routed("text", ["image", "audio", "3d"], [ALL, CLIP, CLAP], {}) == {
        "image": "clip-1",
        "audio": "clap-1",
        "3d": "starter-1",
    }


def test_a_misspelt_pair_is_a_wrong_setting() -> None:
    with pytest.raises(BadSetting, match="text->picture"):
        load_settings(search={"routes": {"text->picture": "starter"}})


class Pictures(ToySpace):
    """Another space: knows texts and pictures only, and says that it knows them well."""

    name = "pictures"
    id = "pictures-1"
    modalities = ("text", "image")
    quality = {("text", "image"): 0.9, ("image", "image"): 0.9}  # noqa: RUF012

    def __init__(self, weights: Any = None, device: str = "cpu") -> None:
        super().__init__(None, device)

    def encode_prepared(self, batch: Any) -> Any:
        return -super().encode_prepared(batch)[:, ::-1]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library whose texts and pictures lie in two spaces, and its sounds in one."""
    entry = SpaceEntry("tests.engine.test_route:Pictures", models=("pictures",))
    monkeypatch.setitem(SPACES, "pictures", entry)
    media = tmp_path / "media"
    media.mkdir()
    numbers = np.random.default_rng(0)
    for name in ("red", "green", "blue"):
        pixels = numbers.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(media / f"{name}.png")
        (media / f"{name}.txt").write_text(f"The {name} house stands on a hill.")
    weights = tmp_path / "models" / "pictures" / "weights"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"")
    digest = hashlib.sha256(b"").hexdigest()
    (weights.parent / "manifest.json").write_text(json.dumps({"files": {"weights": digest}}))
    folder = tmp_path / "library"
    with Indexer(settings=load_settings(library=folder, space="toy")) as indexer:
        indexer.run([media])
    add_space(folder, Pictures())
    return folder


def add_space(folder: Path, space: Space, settings: Settings | None = None) -> None:
    """Embeds what the library holds of the space's modalities into that space too."""
    from unisearch.index.rows import RowFiles
    from unisearch.media.read import read

    settings = settings or load_settings(library=folder, space="toy")
    with open_rooms(settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx.add_space(space.id, space.name, space.dim)
        for modality in space.modalities:
            segments = [
                (int(key), part.sample)
                for item in tx.items()
                if item.modality == modality
                for key, part in zip(
                    tx.segments(items=[item.id]),
                    read(Path(os.fsdecode(item.path)), rooms.read_options).parts,
                    strict=True,
                )
            ]
            segments.sort(key=lambda row: row[0])
            keys = np.array([key for key, _ in segments], np.int64)
            partition = tx.partition(space.id, modality)
            files = RowFiles(folder / "vectors", space.id, modality, space.dim)
            blocks = files.append(0, 0, keys, space.encode([sample for _, sample in segments]))
            tx.commit_rows(partition, len(keys), blocks)


def open_engine(folder: Path, **search: Any) -> Engine:
    models = folder.parent / "models"
    settings = load_settings(library=folder, space="toy", models=models, search=search)
    rooms: Rooms = open_rooms(settings)
    return Engine(rooms)


def spaces_of(engine: Engine, term: Any) -> dict[str, set[str]]:
    answer = engine.ask([Term(term)], k=10, names=False)
    found: dict[str, set[str]] = {}
    for hit in answer.hits:
        found.setdefault(hit.modality, set()).add(hit.space)
    return found


def test_each_pair_is_answered_from_one_space(library: Path, tmp_path: Path) -> None:
    with open_engine(library) as engine:
        asked = spaces_of(engine, "the red house")
        shown = spaces_of(engine, tmp_path / "media" / "red.png")

    assert asked == {"text": {"toy-1"}, "image": {"pictures-1"}}
    assert shown == {"text": {"toy-1"}, "image": {"pictures-1"}}


def test_answers_are_those_of_the_space_alone(library: Path, tmp_path: Path) -> None:
    picture = tmp_path / "media" / "green.png"

    with (
        open_engine(library) as routed_,
        open_engine(library, routes={"image->image": "toy"}) as fixed,
    ):
        first, other = (engine.search(picture, into="image") for engine in (routed_, fixed))

    assert {hit.space for hit in first} == {"pictures-1"}
    assert {hit.space for hit in other} == {"toy-1"}
    assert first[0].path == other[0].path == bytes(picture)
    assert first[0].similarity == pytest.approx(1, abs=1e-3)


def test_a_question_of_several_terms_may_use_several_spaces(library: Path, tmp_path: Path) -> None:
    picture = tmp_path / "media" / "blue.png"
    routes = {"text->image": "toy", "image->image": "pictures"}

    with open_engine(library, routes=routes) as engine:
        answer = engine.ask([Term(picture, 2.0), Term("red house")], into="image", names=False)
        alone = engine.ask([Term(picture)], into="image", names=False)

    assert [term.space for term in answer.query] == ["pictures-1", "toy-1"]
    assert answer.hits[0].path == alone.hits[0].path == bytes(picture)
    assert len(answer.hits) == 3


def test_an_item_asks_with_its_vector_of_each_space(library: Path, tmp_path: Path) -> None:
    with open_engine(library) as engine:
        first = engine.search(tmp_path / "media" / "red.png", into="image", k=1)[0]
        others = engine.search(first.item)

    assert {hit.space for hit in others} == {"toy-1", "pictures-1"}
    assert first.item not in {hit.item for hit in others}


def test_a_library_of_another_known_space_is_asked_in_that_space(
    library: Path, tmp_path: Path
) -> None:
    shutil.rmtree(library / "vectors" / "toy-1")
    settings = load_settings(library=library, space="toy")
    with open_rooms(settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx._run("DELETE FROM backgrounds")
        tx._run(
            "DELETE FROM blocks WHERE partition_id IN"
            " (SELECT id FROM partitions WHERE space_id = 'toy-1')"
        )
        tx._run("DELETE FROM partitions WHERE space_id = 'toy-1'")
        tx._run("DELETE FROM spaces WHERE id = 'toy-1'")

    with open_engine(library) as engine:
        assert spaces_of(engine, "the red house") == {
            "text": {"pictures-1"},
            "image": {"pictures-1"},
        }


def test_a_space_without_its_weights_leaves_the_others_to_answer(
    library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(library.parent / "models")

    with open_engine(library) as engine:
        asked = spaces_of(engine, "the red house")

    assert asked == {"text": {"toy-1"}, "image": {"toy-1"}}
    assert "no weights of the model 'pictures'" in caplog.text


def test_what_no_space_can_ever_find_is_told() -> None:
    refuse_uncovered("audio", ["text", "image"], [CLAP, CLIP])
    with pytest.raises(UsageError) as caught:
        refuse_uncovered("audio", ["image", "3d"], [CLAP, CLIP])
    assert str(caught.value) == (
        "no space of this library finds image or 3d by audio:"
        " 'clap' sees text, audio; 'clip' sees text, image"
    )
    with pytest.raises(UsageError, match="can be asked with 3d: 'clap' sees text, audio"):
        refuse_uncovered("3d", ["text"], [CLAP])
