from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
import trimesh
from PIL import Image

from unisearch.errors import UnisearchError, UnknownName
from unisearch.world.library import KINDS, VIEWS, make_library

FEW = ["dog", "chair", "bell", "car"]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_library_holds_each_kind_in_its_folder(tmp_path: Path) -> None:
    paths = make_library(tmp_path, concepts=FEW, per_concept=2)

    folders = [path.parent.name for path in paths]
    assert {name: folders.count(name) for name in set(folders)} == {
        "models": 8,
        "pictures": 8,
        "sounds": 6,  # a chair makes none
        "captions": 8,
    }
    assert len(set(paths)) == len(paths)


def test_videos_show_and_sound_what_they_are_of(tmp_path: Path) -> None:
    paths = make_library(tmp_path, concepts=FEW, per_concept=2, kinds=["videos"])

    assert len(paths) == 6  # a chair makes no sound
    assert {path.parent for path in paths} == {tmp_path / "videos"}
    for path in paths:
        with av.open(path) as video:
            pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        with av.open(path) as video:
            heard_s = sum(frame.samples / frame.sample_rate for frame in video.decode(audio=0))
        assert len(pictures) == VIEWS
        assert len({picture.tobytes() for picture in pictures}) == VIEWS
        assert 0.4 < heard_s < 10


def test_every_file_of_a_library_opens(tmp_path: Path) -> None:
    for path in make_library(tmp_path, concepts=FEW, per_concept=2, seed=1):
        if path.parent.name == "models":
            mesh: Any = trimesh.load_scene(path).to_geometry()
            assert len(mesh.faces) > 20
        elif path.parent.name == "pictures":
            with Image.open(path) as picture:
                assert picture.size == (256, 256)
        elif path.parent.name == "sounds":
            with av.open(path) as sound:
                assert sum(frame.samples for frame in sound.decode(audio=0)) > 8000
        else:
            assert path.read_text("utf-8").strip()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        make_library(tmp_path / name, concepts=FEW, seed=seed, kinds=KINDS)

    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert not set(a.values()) & set(c.values())


def test_some_files_do_not_tell_in_their_names_what_they_are(tmp_path: Path) -> None:
    paths = make_library(tmp_path, concepts=["chair"], per_concept=12)

    named = [path for path in paths if path.stem.startswith("chair")]
    assert 0.2 < len(named) / len(paths) < 0.9


def test_a_library_is_never_written_over(tmp_path: Path) -> None:
    paths = make_library(tmp_path, concepts=["bell", "dog"])
    paths[0].unlink()
    before = contents(tmp_path)

    with pytest.raises(UnisearchError, match="exists already"):
        make_library(tmp_path, concepts=["bell", "dog"])

    assert contents(tmp_path) == before


def test_an_unknown_concept_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'chair'"):
        make_library(tmp_path / "new", concepts=["chare"])

    assert not (tmp_path / "new").exists()
